"""The OpenAI chat protocol, plain and streamed, for a model that can only add two numbers."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from examples.backend.profile import Behaviour, Profile

TASK = re.compile(r"(\d{1,6}) \+ (\d{1,6})")


@dataclass(slots=True)
class Counts:
    """What this backend did, by its own account."""

    requests: int = 0
    deliberate_errors: int = 0


class Server:
    """One model behind the chat protocol."""

    def __init__(self, profile: Profile) -> None:
        self.behaviour = Behaviour(profile)
        self.counts = Counts()
        self._numbers = itertools.count(1)

    def application(self) -> Starlette:
        """The ASGI app."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/models", self.models),
                Route("/health", self.health),
                Route("/counts", self.own_counts),
            ]
        )

    async def chat(self, request: Request) -> Response:
        """Answer a chat, late or with an error as the profile says."""
        self.counts.requests += 1
        body = await _json(request)
        task = TASK.search(_question(body))
        if task is None:
            return _error(400, "invalid_request_error", 'Ask for a sum, such as "What is 17 + 25?".')
        if self.behaviour.fails():
            self.counts.deliberate_errors += 1
            return _error(500, "server_error", "The model failed to answer.")
        seconds = self.behaviour.duration()
        text = f"The sum is {self.behaviour.answer(int(task[1]), int(task[2]))}."
        if body.get("stream"):
            usage = bool((body.get("stream_options") or {}).get("include_usage"))
            return StreamingResponse(self._stream(text, seconds, usage=usage), media_type="text/event-stream")
        await asyncio.sleep(seconds)
        message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return JSONResponse({**self._head("chat.completion"), "choices": [message], "usage": _usage(text)})

    async def models(self, request: Request) -> Response:
        """The one model."""
        return JSONResponse({"object": "list", "data": [{"id": self.behaviour.profile.name, "object": "model"}]})

    async def health(self, request: Request) -> Response:
        """Ready as soon as it answers."""
        return JSONResponse({"status": "ready"})

    async def own_counts(self, request: Request) -> Response:
        """Requests and deliberate errors so far."""
        counts = {"requests": self.counts.requests, "deliberate_errors": self.counts.deliberate_errors}
        return JSONResponse(counts)

    async def _stream(self, text: str, seconds: float, *, usage: bool) -> AsyncIterator[bytes]:
        head = self._head("chat.completion.chunk")
        first = seconds * self.behaviour.profile.first_token_share
        words = text.split(" ")
        await asyncio.sleep(first)
        for index, word in enumerate(words):
            delta = {"content": word if index == 0 else f" {word}"}
            yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            await asyncio.sleep((seconds - first) / len(words))
        yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if usage:
            yield _event({**head, "choices": [], "usage": _usage(text)})
        yield b"data: [DONE]\n\n"

    def _head(self, kind: str) -> dict[str, Any]:
        name = self.behaviour.profile.name
        return {"id": f"chatcmpl-{next(self._numbers)}", "object": kind, "created": 0, "model": name}


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _question(body: dict[str, Any]) -> str:
    """The last message's text; empty when there is none."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return content if isinstance(content, str) else ""


def _usage(text: str) -> dict[str, int]:
    """A word is a token, and the question has eight."""
    completion = len(text.split())
    return {"prompt_tokens": 8, "completion_tokens": completion, "total_tokens": 8 + completion}


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _error(status: int, kind: str, message: str) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": None}
    return JSONResponse({"error": error}, status_code=status)
