"""An event within a stream is of a form that the protocol knows, else its client finds nothing in it.

By OpenAI's specification each chunk of a stream has `choices`, empty in the last one with the usage; each event of the
Responses API and of Anthropic's Messages has its `type`. Lines are those of the HTML standard's "Server-sent events".
"""

import json
from typing import Any

import pytest

from tests.factories.answers import event, events, named_events, stream
from tests.routing.envoy.answers.edge import (
    CHAT,
    COMPLETIONS,
    ERROR,
    MESSAGES,
    NO_ANSWER,
    RESPONSES,
    SUCCESS,
    UNFINISHED,
    Seen,
    seen,
)
from tests.routing.envoy.answers.examples import (
    BLOCK,
    COMPLETED,
    COUNTED,
    CREATED,
    DONE,
    ENDING,
    LLAMA_END,
    LLAMA_PART,
    PING,
    START,
    STOP,
    TEXT,
    TEXT_DELTA,
    TEXT_LAST,
    TEXT_PART,
    TGI_END,
    TGI_PART,
    delta,
)
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

# What proxies and servers write in the place of an event, as the model behind them breaks.
ODD: list[Any] = [
    [{"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}],
    {"text": "**NETWORK ERROR DUE TO HIGH TRAFFIC**", "error_code": 0},
    {"detail": "Internal Server Error"},
    {"errors": [{"message": "x"}]},
    {"message": "x", "code": "InternalError"},
    {},
]
HI, END = event(delta("Hi")), event(delta(finish="stop"))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("kind", "path", "parts"),
    [
        ("openai", CHAT, (delta("Hi"), delta(finish="stop"), DONE)),
        ("vllm", CHAT, (delta("Hi"), delta(finish="stop"), DONE)),
        ("openai", COMPLETIONS, (TEXT, TEXT_LAST, DONE)),
        ("openai", RESPONSES, (CREATED, TEXT_DELTA, COMPLETED)),
        ("anthropic", MESSAGES, (START, BLOCK, TEXT_PART, ENDING, STOP)),
        ("tgi", "/generate_stream", (TGI_PART, TGI_END)),
        ("llama-cpp", "/completion", (LLAMA_PART, LLAMA_END)),
    ],
)
def test_an_event_of_no_form(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, parts: tuple[Any, ...], odd: Any
) -> None:
    server.answer = events(*parts)
    assert seen(envoy, path, kind) == SUCCESS

    server.answer = events(*parts[:2], odd, *parts[2:-1], parts[-1])
    assert seen(envoy, path, kind) == NO_ANSWER


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # Usage alone, what Azure says of the prompt, and what keeps a connection alive.
        (stream(HI, END, event({"choices": [], "usage": COUNTED}), event(DONE)), SUCCESS),
        (stream(HI, END, event({"usage": COUNTED}), event(DONE)), SUCCESS),
        (stream(event({"choices": [], "prompt_filter_results": [{}]}), HI, END, event(DONE)), SUCCESS),
        (stream(event({"object": "chat.completion.chunk", "id": "a"}), HI, END, event(DONE)), SUCCESS),
        (stream(b": OPENROUTER PROCESSING\n\n", b":\n\n", HI, b": keep-alive\n\n", END, event(DONE)), SUCCESS),
        (stream(b"retry: 100\n", b"id: 7\n", HI, b"data\n\n", b"data:\n\n", END, b" \n", event(DONE)), SUCCESS),
        (stream(b": " + b"x" * 1000 + b"\n\n", HI, END, event(DONE)), SUCCESS),
        # Lines of no field.
        (stream(HI, END, b"<html><body>502 Bad Gateway</body></html>\n\n", event(DONE)), NO_ANSWER),
        (stream(HI, END, b"Internal Server Error\n\n", event(DONE)), NO_ANSWER),
        (stream(HI, END, b"upstream connect error: reset\n", event(DONE)), NO_ANSWER),
        (stream(HI, END, b'{"detail": "Internal Server Error"}\n\n', event(DONE)), NO_ANSWER),
        (stream(HI, END, b"end of file\n\n", event(DONE)), NO_ANSWER),
        (stream(HI, END, b"x" * 1000 + b"\n\n", event(DONE)), NO_ANSWER),
        (stream(HI, b"event: Error\ndata: x\n\n", END, event(DONE)), ERROR),
        (stream(HI, b"event: ERROR\n\n", END, event(DONE)), ERROR),
        # The mark, and what only begins like it.
        (stream(HI, END, b"data: [DONE] \r\n\r\n"), SUCCESS),
        (stream(HI, END, b"data:[DONE]\n\n"), SUCCESS),
        (stream(HI, END, b"data: [DONE]"), SUCCESS),
        (stream(HI, END, b"data: [DONE]xyz\n\n"), UNFINISHED),
        (stream(HI, END, b'data: [DONE]{"error": "x"}\n\n'), UNFINISHED),
    ],
)
def test_lines_of_a_stream(envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen) -> None:
    server.answer = answer

    assert seen(envoy, CHAT) == expected


def test_events_that_a_protocol_may_add(envoy: RunningEnvoy, server: BrokenServer) -> None:
    """Anthropic's versioning has clients pass over types that they do not know."""
    server.answer = named_events(START, BLOCK, {"type": "news"}, TEXT_PART, PING, ENDING, STOP)
    assert seen(envoy, MESSAGES, "anthropic") == SUCCESS


def test_an_event_in_pieces(envoy: RunningEnvoy, server: BrokenServer) -> None:
    odd = b"data: " + json.dumps({"detail": "x" * 1000}).encode() + b"\n\n"
    server.answer = stream(HI, *(odd[at : at + 100] for at in range(0, len(odd), 100)), END, event(DONE))

    assert seen(envoy, CHAT) == NO_ANSWER
