"""What a model thinks is no answer to its user, by whatever name and in whatever order of members it comes."""

from typing import Any

import pytest

from tests.factories.answers import document, events, named_events
from tests.routing.envoy.answers.edge import CHAT, MESSAGES, NO_ANSWER, RESPONSES, SUCCESS, Seen, seen
from tests.routing.envoy.answers.examples import (
    CREATED,
    DONE,
    ENDING,
    MESSAGE,
    RESPONSE,
    ROLE,
    START,
    STOP,
    choice,
    delta,
)
from tests.servers.broken_servers import BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

THOUGHTS: list[dict[str, Any]] = [
    {"reasoning_content": "Hm."},
    {"reasoning": "Hm."},
    {"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
    {"thinking": "Hm."},
    # Mistral's, and parts as others write them.
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]},
    {"content": [{"type": "thinking", "thinking": "Hm."}]},
    {"content": [{"type": "reasoning", "text": "Hm."}]},
    {"content": [{"text": "Hm.", "type": "reasoning"}]},
]


@pytest.mark.parametrize("thought", THOUGHTS)
@pytest.mark.parametrize("finish", ["stop", "length"])
def test_a_choice_of_thoughts_alone_is_no_answer(
    envoy: RunningEnvoy, server: BrokenServer, thought: dict[str, Any], finish: str
) -> None:
    server.answer = document(choice({"role": "assistant", "content": None, **thought}, finish))
    assert seen(envoy, CHAT) == NO_ANSWER

    server.answer = events(delta(ROLE), delta(thought), delta(finish=finish), DONE)
    assert seen(envoy, CHAT) == NO_ANSWER


@pytest.mark.parametrize("thought", THOUGHTS)
def test_what_is_said_behind_a_thought_is_one(
    envoy: RunningEnvoy, server: BrokenServer, thought: dict[str, Any]
) -> None:
    parts = [*thought.get("content", []), {"type": "text", "text": "Hi"}]
    server.answer = document(choice({**thought, "content": parts}))
    assert seen(envoy, CHAT) == SUCCESS

    server.answer = events(delta(ROLE), delta(thought), delta("Hi"), delta(finish="stop"), DONE)
    assert seen(envoy, CHAT) == SUCCESS


REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "Hm."}],
    "content": [{"text": "Hm.", "type": "reasoning_text"}],
    "encrypted_content": "gAAAA",
}
LATE_TYPE = {**{name: value for name, value in REASONING.items() if name != "type"}, "type": "reasoning"}
SAID = {"id": "msg_1", "content": [{"text": "Hi", "type": "output_text"}], "role": "assistant", "type": "message"}


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ([REASONING], NO_ANSWER),
        ([LATE_TYPE], NO_ANSWER),
        ([{"type": "reasoning", "summary": []}], NO_ANSWER),
        ([{"type": "compaction", "encrypted_content": "gAAAA"}], NO_ANSWER),
        ([REASONING, SAID], SUCCESS),
        ([SAID, LATE_TYPE], SUCCESS),
        ([LATE_TYPE, SAID, REASONING], SUCCESS),
    ],
)
def test_an_item_of_reasoning_is_none(
    envoy: RunningEnvoy, server: BrokenServer, output: list[dict[str, Any]], expected: Seen
) -> None:
    completed = {"type": "response.completed", "response": {**RESPONSE, "output": output}}
    cut = {"type": "response.incomplete", "response": {**RESPONSE, "status": "incomplete", "output": output}}
    items = [{"type": "response.output_item.done", "item": item} for item in output]

    for answer in (
        document(completed["response"]),
        document(cut["response"]),
        named_events(CREATED, completed),
        named_events(CREATED, *items, {**completed, "response": RESPONSE | {"output": []}}),
        named_events(CREATED, *items, cut),
    ):
        server.answer = answer
        assert seen(envoy, RESPONSES) == expected


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.reasoning_text.delta", "delta": "Hm."},
        {"delta": "Hm.", "type": "response.reasoning_text.delta"},
        {"type": "response.reasoning_text.done", "text": "Hm."},
        {"type": "response.reasoning_summary_text.delta", "delta": "Hm."},
        {"type": "response.reasoning_summary_text.done", "text": "Hm."},
        {"type": "response.reasoning_summary_part.added", "part": {"type": "summary_text", "text": "Hm."}},
        {"type": "response.reasoning.delta", "delta": {"text": "Hm."}},
        {"type": "response.reasoning_summary.done", "text": "Hm."},
    ],
)
def test_an_event_of_reasoning_is_none(envoy: RunningEnvoy, server: BrokenServer, event: dict[str, Any]) -> None:
    done = {"type": "response.completed", "response": {**RESPONSE, "output": []}}

    server.answer = named_events(CREATED, event, {"type": "response.output_text.delta", "delta": ""}, done)
    assert seen(envoy, RESPONSES) == NO_ANSWER

    server.answer = named_events(CREATED, event, {"type": "response.output_text.delta", "delta": "Hi"}, event, done)
    assert seen(envoy, RESPONSES) == SUCCESS


@pytest.mark.parametrize(
    "thought",
    [
        {"type": "thinking", "thinking": "Hm.", "signature": "Eq"},
        {"type": "redacted_thinking", "data": "Em"},
    ],
)
def test_a_block_of_thinking_is_none(envoy: RunningEnvoy, server: BrokenServer, thought: dict[str, Any]) -> None:
    begin = {"type": "content_block_start", "index": 0, "content_block": thought}
    goes_on = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "Eq"}},
    ]
    said = {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hi"}}

    server.answer = document({**MESSAGE, "content": [thought]})
    assert seen(envoy, MESSAGES, "anthropic") == NO_ANSWER

    server.answer = document({**MESSAGE, "content": [thought, {"type": "text", "text": "Hi"}]})
    assert seen(envoy, MESSAGES, "anthropic") == SUCCESS

    server.answer = named_events(START, begin, *goes_on, ENDING, STOP)
    assert seen(envoy, MESSAGES, "anthropic") == NO_ANSWER

    server.answer = named_events(START, begin, *goes_on, said, ENDING, STOP)
    assert seen(envoy, MESSAGES, "anthropic") == SUCCESS
