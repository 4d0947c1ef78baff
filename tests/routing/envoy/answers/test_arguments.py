"""The arguments of a call are JSON, or its client can call nothing: cut off, the answer is none.

By OpenAI's specification `arguments` are "in JSON format"; Anthropic's streams have them as "partial JSON strings" that
its clients put together. What is cut at a length is told by its reason.
"""

import json
from typing import Any

import pytest

from tests.factories.answers import OK, chunk, document, events, named_events
from tests.routing.envoy.answers.edge import CHAT, MESSAGES, RESPONSES, SUCCESS, UNFINISHED, Seen, seen
from tests.routing.envoy.answers.examples import COMPLETED, CREATED, DONE, ENDING, RESPONSE, START, STOP, TOOL, delta
from tests.servers.broken_servers import Answer, BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

TOWN = '{"town": "Bo\\"n \u00e4 \\u00e4 \\\\ \\n \U0001f600", "days": [1, 2.5e3, null]}'
LONG = json.dumps({"text": 'x\n"y" \u00e4 ' * 200})
SOUND = [TOWN, LONG, "{}", " {} \n", ""]
CUT = [TOWN[:-1], TOWN[:12], "{", LONG[:-2], LONG[:700]]
ODD = ["{'town': 1}", '{"town": NaN}', '{"town": "a\nb"}', TOWN + "}", "call f(1)"]
EACH = [*((text, SUCCESS) for text in SOUND), *((text, UNFINISHED) for text in (*CUT, *ODD))]


def call(arguments: str, **more: Any) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}, **more}


def said(*calls: dict[str, Any], finish: str = "tool_calls") -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"content": None, "tool_calls": list(calls)}, "finish_reason": finish}]}


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def part(text: str, call_index: int = 0, choice_index: int = 0) -> dict[str, Any]:
    held = {"tool_calls": [{"index": call_index, "function": {"arguments": text}}]}
    return {"choices": [{"index": choice_index, "delta": held, "finish_reason": None}]}


def test_the_texts_are_what_their_names_say() -> None:
    for text in SOUND[:-1]:
        assert isinstance(json.loads(text), dict)
    for text in (*CUT, *ODD):
        with pytest.raises(ValueError, match=r"invalid|Expecting|Invalid|Unterminated|Extra"):
            json.loads(text, parse_constant=int)


@pytest.mark.parametrize(("text", "expected"), EACH)
def test_arguments_of_calls(envoy: RunningEnvoy, server: BrokenServer, text: str, expected: Seen) -> None:
    begin = delta({"role": "assistant", "content": None, "tool_calls": [call("", index=0)]})
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": text}
    old = {"message": {"content": None, "function_call": {"name": "f", "arguments": text}}, "finish_reason": "stop"}
    answers: list[tuple[str, str, Answer]] = [
        ("openai", CHAT, document(said(call("{}"), call(text)))),
        ("openai", CHAT, document({"choices": [old]})),
        ("openai", CHAT, events(begin, *map(part, pieces(text)), delta(finish="tool_calls"), DONE)),
        ("openai", RESPONSES, document({**RESPONSE, "output": [item]})),
        ("openai", RESPONSES, named_events(CREATED, {**COMPLETED, "response": {**RESPONSE, "output": [item]}})),
        (
            "anthropic",
            MESSAGES,
            named_events(
                START,
                TOOL,
                *(
                    {
                        "type": "content_block_delta",
                        "index": 0,
                        "delta": {"type": "input_json_delta", "partial_json": x},
                    }
                    for x in ("", *pieces(text))
                ),
                ENDING,
                STOP,
            ),
        ),
    ]
    for kind, path, answer in answers:
        server.answer = answer
        assert seen(envoy, path, kind) == expected


@pytest.mark.parametrize("arguments", [{}, {"town": "Bonn"}, [], ["Bonn"]])
def test_they_are_a_text(envoy: RunningEnvoy, server: BrokenServer, arguments: object) -> None:
    made = {"name": "f", "arguments": arguments}
    for answer in (
        document(said({"id": "call_1", "type": "function", "function": made})),
        events(delta({"tool_calls": [{"index": 0, "function": made}]}), delta(finish="tool_calls"), DONE),
        document({"choices": [{"message": {"function_call": made}, "finish_reason": "stop"}]}),
    ):
        server.answer = answer
        assert seen(envoy, CHAT) == UNFINISHED


@pytest.mark.parametrize("size", [1, 7, 300])
@pytest.mark.parametrize("escaped", [True, False])
def test_in_whatever_pieces(envoy: RunningEnvoy, server: BrokenServer, size: int, escaped: bool) -> None:
    head = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    for text, expected in ((LONG + " ", SUCCESS), (TOWN, SUCCESS), (LONG[:-1], UNFINISHED)):
        body = json.dumps(said(call(text)), ensure_ascii=escaped).encode()
        server.answer = say(head, *(chunk(body[at : at + size]) for at in range(0, len(body), size)), b"0\r\n\r\n")

        assert seen(envoy, CHAT) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # One call behind the other, whole or cut.
        ([part('{"a"'), part(": 1}"), part("{", 1), part("}", 1)], SUCCESS),
        ([part(TOWN), part("{}", 1)], SUCCESS),
        ([part('{"a"'), part("{}", 1)], UNFINISHED),
        ([part("{}"), part('{"a"', 1)], UNFINISHED),
        # Several choices come by turns.
        ([part('{"a"'), part('{"b"', 0, 1), part(": 1}"), part(": 2}", 0, 1)], SUCCESS),
    ],
)
def test_several_calls_of_a_stream(
    envoy: RunningEnvoy, server: BrokenServer, parts: list[dict[str, Any]], expected: Seen
) -> None:
    begin = delta({"role": "assistant", "content": None, "tool_calls": [call("", index=0)]})
    server.answer = events(begin, *parts, delta(finish="tool_calls"), DONE)

    assert seen(envoy, CHAT) == expected


@pytest.mark.parametrize(
    ("finish", "expected"), [("length", SUCCESS), ("tool_calls", UNFINISHED), ("stop", UNFINISHED)]
)
def test_a_length_is_a_measure_of_its_own(
    envoy: RunningEnvoy, server: BrokenServer, finish: str, expected: Seen
) -> None:
    server.answer = document(said(call(TOWN[:-1]), finish=finish))

    assert seen(envoy, CHAT) == expected
