"""A stream holds something, and ends as its kind has it."""

import json

import pytest

from tests.factories.answers import event, events, plain, stream
from tests.routing.envoy.answers.edge import CHAT, ERROR, NO_ANSWER, SUCCESS, UNFINISHED, Seen, seen
from tests.routing.envoy.answers.examples import CALL, COUNTED, DONE, HI, ROLE, choice, delta
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (events(delta(ROLE), delta("Hi"), delta(finish="stop"), DONE), SUCCESS),
        # Nothing in it.
        (events(DONE), NO_ANSWER),
        (events(delta(ROLE), DONE), NO_ANSWER),
        (events(delta(ROLE), delta(finish="stop"), DONE), NO_ANSWER),
        (events(delta(ROLE), {"choices": [], "usage": COUNTED}, DONE), NO_ANSWER),
        (events({"x": delta("Hi")}, DONE), NO_ANSWER),
        (stream(b": wait\n\n", b": wait\n\n", event(DONE)), NO_ANSWER),
        (events(DONE, delta("Hi")), NO_ANSWER),
        # Something else than text in it.
        (events(delta(ROLE), delta({"tool_calls": [{"index": 0, **CALL}]}), delta(finish="tool_calls"), DONE), SUCCESS),
        (events(delta(ROLE), delta({"refusal": "I will not."}), delta(finish="stop"), DONE), SUCCESS),
        (events(delta(ROLE), delta(finish="content_filter"), DONE), NO_ANSWER),
        (stream(b": OPENROUTER PROCESSING\n\n", event(delta("Hi", "stop")), event(DONE)), SUCCESS),
        (
            stream(b"data: " + event(delta("Hi", "stop"))[6:-2].replace(b", ", b",\ndata: ") + b"\n\n", event(DONE)),
            SUCCESS,
        ),
        # Errors, and what is none.
        (events(delta("Hi"), delta(finish="error", error={"code": 502, "message": "x"}), DONE), ERROR),
        (events(delta("Hi"), delta(finish="error"), DONE), ERROR),
        (events(delta("Hi"), {"choices": [{"error": {"message": "x"}}]}, DONE), ERROR),
        (events(delta("Hi", error=None), delta(finish="stop"), DONE), SUCCESS),
        (events(delta({"tool_calls": [{"index": 0, **CALL}]}, "tool_calls"), DONE), SUCCESS),
        (events(delta('"error": {"message": "x"}'), delta(" event: error\ndata: x", "stop"), DONE), SUCCESS),
        (stream(event(delta("Hi")), b"event: error\ndata: x\n\n", event(DONE)), ERROR),
        (stream(event(delta("Hi")), b'error: {"code": 500}\n\n', event(DONE)), ERROR),
        (stream(event(delta("Hi")), b'{"error": {"message": "x"}}\n\n', event(DONE)), ERROR),
        (stream(event(delta("Hi", "stop")), b'{"error": null}\n\n', event(DONE)), NO_ANSWER),
        # Events that are no JSON.
        (events(delta("Hi"), "Internal Server Error", DONE), NO_ANSWER),
        (events(delta("Hi"), json.dumps(delta("Hi"))[:-1], DONE), NO_ANSWER),
        (events(delta("Hi"), json.dumps(delta("Hi")) + "}", DONE), NO_ANSWER),
        (events(delta("Hi")), UNFINISHED),
        (events(delta("[DONE]")), UNFINISHED),
        (plain(json.dumps(choice(HI)).encode(), b"text/event-stream"), UNFINISHED),
    ],
)
def test_a_stream_holds_something_and_ends(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT) == expected
