"""Servers that answer as the documentation of each kind says: when asked for inference, and whether they are ready."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.servers.model_servers import serving
from tests.servers.processes import free_port

Counts = tuple[int | None, int | None]

BOTH: Counts = (11, 22)
NEITHER: Counts = (None, None)


@dataclass(frozen=True, slots=True)
class Speech:
    """One interface of a kind: its path, what it answers plain and streamed, and the tokens that each tells."""

    kind: str
    path: str
    plain: Any
    events: tuple[dict[str, Any], ...]
    plain_counts: Counts = BOTH
    streamed_counts: Counts = BOTH
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    named_events: bool = False
    """Each event is named by its `type`, and the last one ends the stream without a `[DONE]`."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a kind answers on a health path while it is ready, and while it is not."""

    kind: str
    path: str
    ready: tuple[int, str] = (200, "")
    unready: tuple[int, str] = (503, "")
    asked_with: tuple[tuple[str, str], ...] = ()
    """Headers without which the question is none."""


@dataclass
class KindServer:
    """A running server of one kind."""

    address: str
    health: Health
    ready: bool = False

    async def answer(self, request: Request) -> Response:
        """What the documentation shows for this path."""
        speech = next(s for s in SPEECHES if (s.kind, s.path) == (self.health.kind, request.url.path))
        wanted = await request.json()
        if wanted.get("stream"):
            return StreamingResponse(_stream(speech, wanted), media_type="text/event-stream")
        return JSONResponse(speech.plain, headers=dict(speech.headers), media_type=speech.media_type)

    async def say_health(self, request: Request) -> Response:
        """Whether it is ready."""
        if any(request.headers.get(name) != value for name, value in self.health.asked_with):
            return PlainTextResponse("a header is missing", status_code=400)
        status, text = self.health.ready if self.ready else self.health.unready
        return PlainTextResponse(text, status_code=status)


USAGE: dict[str, Any] = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}
CHAT = {"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "Hi"}}], "usage": USAGE}
WORD: dict[str, Any] = {
    "object": "chat.completion.chunk",
    "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}],
}
CHAT_EVENTS = ({**WORD, "usage": None}, {**WORD, "choices": [], "usage": USAGE})
# vLLM with `continuous_usage_stats`.
COUNTING = tuple({**WORD, "usage": {**USAGE, "completion_tokens": count}} for count in (1, 21, 22))

TENSORS = {"model_name": "iris", "outputs": [{"name": "label", "datatype": "INT64", "shape": [1], "data": [2]}]}
TRITON = {"model_name": "llm", "model_version": "1", "text_output": "Hi"}
TRITON_EVENT = {**TRITON, "num_input_tokens": 11, "num_output_tokens": 1}

TGI_TOKEN = {"token": {"id": 7, "text": "Hi", "logprob": -1.0, "special": False}, "generated_text": None}
TGI_END = {"finish_reason": "length", "generated_tokens": 22, "input_length": 11, "seed": None}
TGI_DETAILS = {"finish_reason": "length", "generated_tokens": 22, "seed": None, "prefill": [], "tokens": []}
TGI_HEADERS = {"x-prompt-tokens": "11", "x-generated-tokens": "22", "x-queue-time": "3"}

LLAMA = {"content": "Hi", "stop": True, "tokens_evaluated": 11, "tokens_predicted": 22, "timings": {"predicted_n": 22}}
LLAMA_EVENTS = tuple({**LLAMA, "stop": count == 22, "tokens_predicted": count} for count in (1, 21, 22))

# As its documentation shows them; a prompt of 11 tokens beside those of the cache.
MESSAGE_START_USAGE = {
    "input_tokens": 11,
    "cache_creation_input_tokens": 2000,
    "cache_read_input_tokens": 30000,
    "cache_creation": {"ephemeral_5m_input_tokens": 2000, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 1,
    "service_tier": "standard",
}
WITH_CACHE: Counts = (11 + 2000 + 30000, 22)
MESSAGE: dict[str, Any] = {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {**MESSAGE_START_USAGE, "output_tokens": 22},
}
MESSAGE_EVENTS: tuple[dict[str, Any], ...] = (
    {
        "type": "message_start",
        "message": {**MESSAGE, "content": [], "stop_reason": None, "usage": MESSAGE_START_USAGE},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 22},
    },
    {"type": "message_stop"},
)
# A web search makes the prompt longer on the way; so does what it brings out of the cache.
MESSAGE_DELTA_WITH_TOOLS: dict[str, Any] = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {
        "input_tokens": 10682,
        "cache_creation_input_tokens": 2500,
        "cache_read_input_tokens": 31000,
        "output_tokens": 510,
        "server_tool_use": {"web_search_requests": 1},
    },
}
MESSAGE_ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

SPEECHES = (
    Speech("openai", "/v1/chat/completions", CHAT, CHAT_EVENTS),
    Speech("anthropic", "/v1/messages", MESSAGE, MESSAGE_EVENTS, WITH_CACHE, WITH_CACHE, named_events=True),
    Speech("vllm", "/v1/chat/completions", CHAT, COUNTING),
    Speech("tensorrt-llm", "/v1/chat/completions", CHAT, CHAT_EVENTS),
    Speech("ray-serve", "/v1/chat/completions", CHAT, CHAT_EVENTS),
    Speech("tgi", "/v1/chat/completions", CHAT, CHAT_EVENTS),
    Speech(
        "tgi",
        "/generate",
        {"generated_text": "Hi", "details": TGI_DETAILS},
        ({**TGI_TOKEN, "details": None}, {**TGI_TOKEN, "generated_text": "Hi", "details": TGI_END}),
        headers=TGI_HEADERS,
    ),
    Speech(
        "tgi",
        "/",
        [{"generated_text": "Hi"}],
        ({**TGI_TOKEN, "details": None}, {**TGI_TOKEN, "generated_text": "Hi", "details": TGI_END}),
        headers=TGI_HEADERS,
    ),
    Speech(
        "triton",
        "/v2/models/llm/generate",
        {**TRITON, "num_input_tokens": 11, "num_output_tokens": 22},
        (TRITON_EVENT, TRITON_EVENT),
        streamed_counts=(11, None),
    ),
    Speech("triton", "/v2/models/iris/infer", TENSORS, (TENSORS,), NEITHER, NEITHER),
    Speech("kserve-v2", "/v2/models/iris/infer", TENSORS, (TENSORS,), NEITHER, NEITHER),
    Speech("torchserve", "/predictions/iris", [0.1, 0.9], ({"label": "setosa"},), NEITHER, NEITHER),
    Speech("bentoml", "/summarize", "A summary.", ({"text": "A"},), NEITHER, NEITHER),
    Speech("llama-cpp", "/completion", LLAMA, LLAMA_EVENTS, media_type="application/json; charset=utf-8"),
    Speech("llama-cpp", "/v1/chat/completions", CHAT, CHAT_EVENTS),
    Speech("http", "/anything", CHAT, CHAT_EVENTS, NEITHER, NEITHER),
)

HEALTHS = (
    Health("openai", "/health"),
    Health(
        "anthropic",
        "/v1/models",
        (200, '{"data":[],"has_more":false}'),
        asked_with=(("anthropic-version", "2023-06-01"),),
    ),
    Health("vllm", "/health"),
    Health("tgi", "/health"),
    Health("triton", "/v2/health/ready", unready=(400, "")),
    Health("triton", "/v2/models/iris/ready", unready=(400, '{"error":"model iris is not ready"}')),
    Health("tensorrt-llm", "/health"),
    Health("kserve-v2", "/v2/health/ready", unready=(400, "")),
    Health("kserve-v2", "/v2/models/iris/ready", unready=(404, '{"error":"Model iris not found"}')),
    Health("torchserve", "/ping", (200, '{\n  "status": "Healthy"\n}\n'), (200, '{\n  "status": "Unhealthy"\n}\n')),
    Health("torchserve", "/ping", (200, '{"status": "Healthy"}'), (200, '{"status": "Partial Healthy"}')),
    Health("torchserve", "/own-check", (200, "fine"), (500, "")),
    Health("bentoml", "/readyz"),
    Health("ray-serve", "/-/healthz", (200, "success"), (503, "No replicas are available yet.")),
    Health("llama-cpp", "/health", (200, '{"status":"ok"}'), (503, '{"error":{"message":"Loading model"}}')),
    Health("http", "/health"),
)


async def _stream(speech: Speech, wanted: Mapping[str, Any]) -> AsyncIterator[str]:
    for event in _events(speech, wanted):
        name = f"event: {event['type']}\n" if speech.named_events else ""
        yield f"{name}data: {json.dumps(event)}\n\n"
    if not speech.named_events:
        yield "data: [DONE]\n\n"


def _events(speech: Speech, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The events of a stream; one of Anthropic's searches the web where it is given tools, and fails when told to."""
    if wanted.get("system") == "Fail.":
        return (*speech.events[:3], MESSAGE_ERROR)
    if wanted.get("tools"):
        return (*speech.events[:-2], MESSAGE_DELTA_WITH_TOOLS, speech.events[-1])
    return speech.events


@contextmanager
def run_kind_server(health: Health) -> Iterator[KindServer]:
    """Run a server of a kind until the block ends; it is not ready yet, and knows no health path but its own."""
    port = free_port()
    server = KindServer(f"http://127.0.0.1:{port}", health)
    routes = [
        Route(health.path, server.say_health, methods=["GET"]),
        Route("/{path:path}", server.answer, methods=["POST"]),
    ]
    with serving(Starlette(routes=routes), port):
        yield server
