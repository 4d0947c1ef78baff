"""An experiment learns whether answers are what was asked for, also where the unit is in a header and no body decides.

Of the requests one of several is read; once an answer is another than was asked for, all are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from routing.table import Arm
from tests.factories.answers import document, events
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.envoy.answers.edge import CHAT, NOT_AS_ASKED, SUCCESS, Seen
from tests.routing.envoy.answers.examples import DONE, HI, TGI_END, VECTORS, choice, delta
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

STREAMED = events(delta("Hi"), delta(finish="stop"), DONE)
WHOLE = document(choice(HI))
ONE_OF = 32


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    """An edge with an experiment."""
    arms = (Arm("control", "tgi", 0, 5_000), Arm("candidate", "tgi", 5_000, 10_000))
    endpoint = make_endpoint("chat", make_experiment("new-model", *arms), path_prefix="/", backend="tgi")
    table = make_table(endpoint, backends=(make_backend("tgi", server.address, protocol="tgi"),))
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


@contextmanager
def client(envoy: RunningEnvoy) -> Iterator[httpx.Client]:
    """One connection, so that one worker of Envoy has all of its requests."""
    with httpx.Client(base_url=envoy.url, headers={"x-user-id": "alice"}) as http:
        yield http


def ends(envoy: RunningEnvoy, http: httpx.Client, count: int, path: str = CHAT, **sent: Any) -> list[Seen]:
    """How each of so many requests ended."""
    found = []
    for _ in range(count):
        row = envoy.row(http.post(path, **(sent or {"json": {}})).headers["x-request-id"])
        found.append((row["result"], row["failure"]))
    return found


@pytest.mark.parametrize(("asked", "answer"), [(True, WHOLE), (False, STREAMED), (None, STREAMED)])
def test_the_other_of_what_was_asked_for_is_found_and_then_always(
    envoy: RunningEnvoy, server: BrokenServer, asked: bool | None, answer: Answer
) -> None:
    server.answer = answer
    with client(envoy) as http:
        first = ends(envoy, http, ONE_OF + 1, json={"stream": asked})
        later = ends(envoy, http, ONE_OF, json={"stream": asked})

    assert NOT_AS_ASKED in first
    assert set(later) == {NOT_AS_ASKED}


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({"json": {"stream": True}}, STREAMED),
        ({"json": {"stream": False}}, WHOLE),
        ({"json": {}}, WHOLE),
        ({"json": {"tools": [{"stream": True}], "input": '"stream": true'}}, WHOLE),
        ({"content": b'{"str\\u0065am": true}'}, STREAMED),
        # Nobody knows what a server makes of it.
        ({"json": {"stream": "yes"}}, STREAMED),
        ({"json": {"stream": 1}}, WHOLE),
        ({"content": b'{"stream": true'}, WHOLE),
        ({"content": b"stream=true"}, WHOLE),
        ({"content": b""}, STREAMED),
    ],
)
def test_what_was_asked_for_is_none(
    envoy: RunningEnvoy, server: BrokenServer, sent: dict[str, Any], answer: Answer
) -> None:
    server.answer = answer
    with client(envoy) as http:
        assert set(ends(envoy, http, ONE_OF + 1, **sent)) == {SUCCESS}


@pytest.mark.parametrize(
    ("path", "answer"), [("/v1/embeddings", document(VECTORS)), ("/generate_stream", events(TGI_END))]
)
def test_paths_that_say_it_themselves(envoy: RunningEnvoy, server: BrokenServer, path: str, answer: Answer) -> None:
    server.answer = answer
    with client(envoy) as http:
        assert set(ends(envoy, http, ONE_OF + 1, path)) == {SUCCESS}


def test_a_request_that_is_read_passes_whole(envoy: RunningEnvoy, server: BrokenServer) -> None:
    sent = {"messages": ["a" * 3_000_000], "stream": True}
    server.answer = STREAMED
    with client(envoy) as http:
        assert set(ends(envoy, http, 2, json=sent)) == {SUCCESS}
