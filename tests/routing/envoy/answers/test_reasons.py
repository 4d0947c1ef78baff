"""A stream that never told why its model stopped was cut off, though its mark came.

`finish_reason` is a required member of OpenAI's choices, null until the last, and `stop_reason` of Anthropic's
`message_delta`. A plain answer is whole by itself: of one that leaves the reason out it is unknown.
"""

from typing import Any

import pytest

from tests.factories.answers import document, events, named_events
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
    row_of,
    seen,
)
from tests.routing.envoy.answers.examples import (
    BLOCK,
    BLOCK_END,
    CALL,
    COUNTED,
    CREATED,
    CUT,
    DONE,
    HI,
    MESSAGE,
    RESPONSE,
    ROLE,
    START,
    STOP,
    TEXT_PART,
    choice,
    delta,
)
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

CALLED = delta({"tool_calls": [{"index": 0, **CALL}]})
COUNT: dict[str, Any] = {"choices": [], "usage": COUNTED}


def text(finish: str | None, said: str = "Hi") -> dict[str, Any]:
    return {"object": "text_completion", "choices": [{"index": 0, "text": said, "finish_reason": finish}]}


def ended(**delta: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 22}}


@pytest.mark.parametrize(
    ("kind", "path", "answer", "expected"),
    [
        ("openai", CHAT, events(delta(ROLE), delta("Hi"), delta(finish="stop"), COUNT, DONE), SUCCESS),
        ("openai", CHAT, events(delta("Hi"), delta("Ho", "length"), DONE), SUCCESS),
        ("openai", CHAT, events(delta("Hi"), delta(finish="a word of its own"), DONE), SUCCESS),
        ("openai", CHAT, events(delta(ROLE), delta("Hi"), COUNT, DONE), UNFINISHED),
        ("openai", CHAT, events(delta("Hi"), delta(finish=""), DONE), UNFINISHED),
        ("openai", CHAT, events({"choices": [{"delta": HI}]}, DONE), UNFINISHED),
        ("openai", CHAT, events(CALLED, DONE), UNFINISHED),
        ("openai", CHAT, events(delta({"refusal": "I will"}), DONE), UNFINISHED),
        ("openai", CHAT, events(delta({"refusal": "I will not."}), delta(finish="stop"), DONE), SUCCESS),
        # What it holds, and an error, come first.
        ("openai", CHAT, events(delta(ROLE), DONE), NO_ANSWER),
        ("openai", CHAT, events(delta("Hi"), {"error": {"message": "x"}}, DONE), ERROR),
        ("openai", COMPLETIONS, events(text(None), text("stop", ""), DONE), SUCCESS),
        ("openai", COMPLETIONS, events(text(None), text(None), DONE), UNFINISHED),
        ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, ended(stop_reason="end_turn"), STOP), SUCCESS),
        ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, ended(stop_reason=None), STOP), UNFINISHED),
        ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, BLOCK_END, STOP), UNFINISHED),
    ],
)
def test_a_stream_tells_why_it_stopped(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, path, kind) == expected


@pytest.mark.parametrize(
    ("kind", "path", "content"),
    [
        ("openai", CHAT, choice(HI, finish=None)),
        ("openai", CHAT, {"choices": [{"message": HI}]}),
        ("openai", COMPLETIONS, text(None)),
        ("anthropic", MESSAGES, {**MESSAGE, "stop_reason": None}),
    ],
)
def test_a_plain_answer_without_a_reason_is_one_whose_reason_is_unknown(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, content: Any
) -> None:
    server.answer = document(content)

    row = row_of(envoy, path, kind)

    assert (row["result"], row["stop"]) == ("success", None)


@pytest.mark.parametrize(
    ("content", "stop"),
    [
        (RESPONSE, "completed"),
        (CUT, "length"),
        ({**RESPONSE, "status": "incomplete"}, "length"),
        ({**CUT, "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({**RESPONSE, "status": "queued", "background": True, "output": []}, None),
    ],
)
def test_a_response_says_it_by_its_status(
    envoy: RunningEnvoy, server: BrokenServer, content: dict[str, Any], stop: str | None
) -> None:
    server.answer = document(content)
    assert row_of(envoy, RESPONSES)["stop"] == stop

    if content["status"] in ("completed", "incomplete"):
        server.answer = named_events(CREATED, {"type": f"response.{content['status']}", "response": content})
        assert row_of(envoy, RESPONSES)["stop"] == stop


@pytest.mark.parametrize(
    ("parts", "stop"),
    [
        ([delta("Hi"), delta(finish="content_filter")], "content_filter"),
        ([delta("Hi"), delta(finish="end of turn")], "other"),
        ([delta({"refusal": "I will not."}), delta(finish="stop")], "refusal"),
    ],
)
def test_the_reason_is_kept(envoy: RunningEnvoy, server: BrokenServer, parts: list[dict[str, Any]], stop: str) -> None:
    server.answer = events(*parts, DONE)

    assert row_of(envoy, CHAT)["stop"] == stop
