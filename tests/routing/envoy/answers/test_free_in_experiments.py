"""An experiment learns of documents of an error, where the protocol leaves to the model what an answer is.

Of the answers one of several is read; once one is such a document, all are.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from routing.table import Arm
from tests.factories.answers import events, plain
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.envoy.answers.edge import ERROR, SUCCESS, Seen
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

ONE_OF = 32


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    """An edge with an experiment whose backends speak something else."""
    arms = (Arm("control", "bentoml", 0, 5_000), Arm("candidate", "http", 5_000, 10_000))
    endpoint = make_endpoint("chat", make_experiment("new-model", *arms), path_prefix="/", backend="http")
    backends = [make_backend(key, server.address, protocol=key) for key in ("http", "bentoml")]
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(endpoint, backends=tuple(backends))) as running:
        yield running


def ends(envoy: RunningEnvoy, count: int, method: str = "POST") -> list[Seen]:
    """How each of so many requests over one connection ended, so that one worker of Envoy has all of them."""
    found = []
    with httpx.Client(base_url=envoy.url, headers={"x-user-id": "alice"}) as http:
        for _ in range(count):
            row = envoy.row(http.request(method, "/predict").headers["x-request-id"])
            found.append((row["result"], row["failure"]))
    return found


def said(content: Any) -> Answer:
    return plain(json.dumps(content).encode())


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "content",
    [
        {"error": "CUDA out of memory"},
        {"error": {"message": "x"}},
        {"error": True, "message": "x"},
        {"errors": [{"message": "x"}]},
        {"error": "x", "code": 500, "status": "failed", "request_id": "a"},
        {"error": "x", "result": None, "predictions": [], "text": " ", "scores": [None, []]},
        # Whatever else is told of it, and whatever stands beside it.
        {"error": "x", "service": "y"},
        {"error": {"type": "x"}, "node": 7},
        {"error": ["x"], "hint": "y"},
        {"error": True, "label": "cat"},
        {"error": "low light", "label": "cat"},
    ],
)
def test_a_document_of_an_error_is_found_and_then_always(
    envoy: RunningEnvoy, server: BrokenServer, content: Any, method: str
) -> None:
    server.answer = said(content)

    assert ERROR in ends(envoy, ONE_OF + 1, method)
    assert set(ends(envoy, 5, method)) == {ERROR}


@pytest.mark.parametrize(
    "answer",
    [
        said({"error": None, "label": "cat"}),
        said({"error": "", "message": "hello"}),
        said({"error": [], "errors": {}}),
        # An answer, with what is told of some rows beside it.
        said({"errors": ["row 3"], "rows": [0]}),
        said({"error": 0.37}),
        said({"error": 0.37, "value": 0}),
        said({"result": {"error": "x"}}),
        said([{"error": "x"}]),
        said("error"),
        # That may be all that a model finds, and what some call their answer.
        said({}),
        said([]),
        said({"message": "Hello"}),
        events({"error": "x"}),
        plain(b'{"error": "x"', b"application/json"),
        plain(b'{"error": "x"}', b"text/plain"),
    ],
)
def test_anything_else_is_up_to_the_model(envoy: RunningEnvoy, server: BrokenServer, answer: Answer) -> None:
    server.answer = answer

    assert set(ends(envoy, ONE_OF + 1)) == {SUCCESS}
