"""Who asks for a stream gets one, and who does not does not, as far as requests are read."""

from typing import Any

import pytest

from tests.factories.answers import document, events
from tests.routing.envoy.answers.edge import CHAT, ERROR, NO_ANSWER, NOT_AS_ASKED, READING, SUCCESS, Seen, seen
from tests.routing.envoy.answers.examples import DONE, HI, VECTORS, choice, delta
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

STREAMED = events(delta("Hi"), delta(finish="stop"), DONE)
WHOLE = document(choice(HI))


@pytest.mark.parametrize(
    ("sent", "answer", "expected"),
    [
        ({"stream": True}, STREAMED, SUCCESS),
        ({"stream": True}, WHOLE, NOT_AS_ASKED),
        ({"stream": False}, WHOLE, SUCCESS),
        ({"stream": False}, STREAMED, NOT_AS_ASKED),
        ({"stream": None}, WHOLE, SUCCESS),
        ({}, WHOLE, SUCCESS),
        ({}, STREAMED, NOT_AS_ASKED),
        ({"messages": [{"stream": True}]}, WHOLE, SUCCESS),
        # Nobody knows what a server makes of it.
        ({"stream": "yes"}, WHOLE, SUCCESS),
        ({"stream": "yes"}, STREAMED, SUCCESS),
        # What it is comes before how.
        ({"stream": True}, document({"error": {"message": "x"}}), ERROR),
        ({"stream": True}, document({}), NO_ANSWER),
    ],
)
def test_who_asks_for_a_stream_gets_one_and_who_does_not_does_not(
    envoy: RunningEnvoy, server: BrokenServer, sent: dict[str, Any], answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT, f"{READING}-openai", {"user": "alice", **sent}) == expected


@pytest.mark.parametrize("answer", [WHOLE, STREAMED])
@pytest.mark.parametrize("asked", [False, True])
def test_what_is_asked_is_unknown_where_requests_are_not_read_and_nothing_is_compared(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, asked: bool
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT, "openai", {"stream": asked}) == SUCCESS


def test_embeddings_are_no_streams(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = document(VECTORS)
    assert seen(envoy, "/v1/embeddings", f"{READING}-openai", {"user": "a", "stream": True}) == SUCCESS

    server.answer = events(VECTORS)
    assert seen(envoy, "/v1/embeddings") == NOT_AS_ASKED
