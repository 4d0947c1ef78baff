"""Documents that tell of an error and of nothing else, where the protocol leaves to the model what an answer is.

Here one of the other arms speaks OpenAI's API, so that each answer is read.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from routing.table import Arm
from tests.factories.answers import document
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.envoy.answers.edge import ERROR, SUCCESS, Seen
from tests.servers.broken_servers import BrokenServer
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    arms = (Arm("control", "http", 0, 9_999), Arm("candidate", "openai", 9_999, 10_000))
    endpoint = make_endpoint("chat", make_experiment("new-model", *arms), path_prefix="/", backend="http")
    backends = tuple(make_backend(key, server.address, protocol=key) for key in ("http", "openai"))
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(endpoint, backends=backends)) as running:
        yield running


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # As servers of vLLM, Baidu, FastChat, FastAPI, gRPC's gateway, Nest and others write one.
        ({"object": "error", "message": "x", "type": "NotFoundError", "param": None, "code": 404}, ERROR),
        ({"type": "error", "message": "x"}, ERROR),
        ({"error_code": 110, "error_msg": "Access token invalid or no longer valid"}, ERROR),
        ({"text": "**NETWORK ERROR**", "error_code": 50002}, ERROR),
        ({"detail": "Not Found"}, ERROR),
        ({"detail": [{"type": "missing", "loc": ["body", "x"], "msg": "Field required"}]}, ERROR),
        ({"code": 5, "message": "Not Found", "details": []}, ERROR),
        ({"statusCode": 404, "message": "Cannot POST /predict"}, ERROR),
        ({"code": "InvalidApiKey", "message": "x", "request_id": "a"}, ERROR),
        ({"status": "error", "message": "x"}, ERROR),
        ({"code": -1, "msg": "x", "data": None}, ERROR),
        # Up to the model.
        ({"detail": "low light", "label": "cat"}, SUCCESS),
        ({"code": 7, "label": "cat"}, SUCCESS),
        ({"code": "print(1)", "message": "Here it is."}, SUCCESS),
        *(({"code": code, "message": "Hello"}, SUCCESS) for code in (0, 200, "0", "200", "OK", "success")),
        ({"error_code": 0, "code": "E1", "message": "Hello", "label": "cat"}, SUCCESS),
        ({"status": "ok", "message": "Hello"}, SUCCESS),
        ({"object": "error", "label": "cat"}, SUCCESS),
    ],
)
def test_a_document_of_an_error(envoy: RunningEnvoy, server: BrokenServer, content: Any, expected: Seen) -> None:
    server.answer = document(content)

    response = httpx.post(f"{envoy.url}/predict", json={}, headers={"x-user-id": "alice"})

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == expected
