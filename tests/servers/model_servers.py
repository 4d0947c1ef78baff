"""A small server that speaks the OpenAI chat protocol, plain and streamed."""

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.servers.processes import free_port
from tests.waiting import wait_until

USAGE = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}
HELD_SECONDS = 0.01


@dataclass
class ModelServer:
    """A running server: where it is, what it was asked, and how often whether it is healthy.

    It may call itself unhealthy, be slow, answer errors, hold its answers back until it no longer does, or
    tell its load elsewhere (`redirect`).
    """

    name: str
    address: str
    healthy: bool = True
    holding: bool = False
    delay: float = 0.0
    status: int = 200
    redirect: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    health_checks: int = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    async def answer(self, request: Request) -> Response:
        """A chat answer; the body may ask for `stream`, `wait` (seconds), `padding` (bytes) and a `status`."""
        self.seen.append(dict(request.headers))
        self.paths.append(f"{request.url.path}?{request.url.query}".removesuffix("?"))
        body = await request.body()
        wanted = json.loads(body) if body else {}
        if wanted.get("stream"):
            return StreamingResponse(_stream(wanted), media_type="text/event-stream")
        await asyncio.sleep(self.delay + wanted.get("wait", 0))
        while self.holding:
            await asyncio.sleep(HELD_SECONDS)
        if self.status != 200:
            return PlainTextResponse("out of memory", status_code=self.status)
        content = {"server": self.name, "usage": USAGE, "padding": "x" * wanted.get("padding", 0)}
        return JSONResponse(content, status_code=wanted.get("status", 200))

    async def metrics(self, request: Request) -> Response:
        """Its load, as vLLM tells it."""
        if self.redirect:
            return RedirectResponse(self.redirect)
        return PlainTextResponse('vllm:num_requests_waiting{m="a"} 3\nvllm:kv_cache_usage_perc{m="a"} 0.25\n')

    async def health(self, request: Request) -> Response:
        """What the health path says."""
        self.health_checks += 1
        return PlainTextResponse("ok" if self.healthy else "not ready", status_code=200 if self.healthy else 503)


async def _stream(wanted: dict[str, Any]) -> AsyncIterator[str]:
    chunks = wanted.get("chunks", 3)
    for number in range(1, chunks + 1):
        await asyncio.sleep(wanted.get("wait", 0))
        finish = "stop" if number == chunks else None
        yield _event({"choices": [{"delta": {"content": "word "}, "finish_reason": finish}], "usage": None})
    if wanted.get("stream_options", {}).get("include_usage"):
        yield _event({"choices": [], "usage": USAGE})
    yield "data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content)}\n\n"


@contextmanager
def run_model_server(
    name: str, *, port: int | None = None, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[ModelServer]:
    """Run a server in a thread until the block ends."""
    port = port or free_port()
    model = ModelServer(name, f"{'https' if tls else 'http'}://{host}:{port}")
    routes = [
        Route("/health", model.health),
        Route("/metrics", model.metrics),
        Route("/{path:path}", model.answer, methods=["GET", "POST"]),
    ]
    with serving(Starlette(routes=routes), port, tls):
        yield model


@contextmanager
def serving(application: Starlette, port: int, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    """Serve an application in a thread until the block ends."""
    config = uvicorn.Config(application, port=port, log_level="error", ws="none", lifespan="off")
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join()
