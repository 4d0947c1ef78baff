"""Three hundred clients that send by halves or do not read, and a user beside them."""

import json
from collections.abc import Iterator

import httpx
import pytest

from routing.table import Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import run_model_server
from tests.servers.slow_sockets import SlowKind, slow_sockets

pytestmark = pytest.mark.slow

COUNT = 300
BODY = Unit(UnitSource.BODY, "user")
QUESTION = json.dumps({"user": "ada", "padding": 200_000})


def request(path: str, head: str, body: str = "") -> str:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{head}\r\n\r\n{body}"


KINDS = (
    SlowKind("says nothing"),
    SlowKind("half a header", "POST /read HTTP/1.1\r\nHost: x\r\nX-Half: "),
    SlowKind("a header little by little", "POST /read HTTP/1.1\r\nHost: x\r\nX-Half: ", "a"),
    SlowKind("half a body that is read", request("/read", "Content-Length: 1000", "{")),
    SlowKind("a body that is read little by little", request("/read", "Content-Length: 1000", "{"), " "),
    SlowKind("half a body that passes", request("/pass", "Content-Length: 1000", "{")),
    SlowKind("half a chunk", request("/read", "Transfer-Encoding: chunked", "ff\r\n{")),
    SlowKind("reads nothing", request("/read", f"Content-Length: {len(QUESTION)}", QUESTION), reads=False),
)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    with run_model_server("stable") as stable:
        read = make_endpoint("read", path_prefix="/read", unit=BODY)
        table = make_table(
            read, make_endpoint("pass", path_prefix="/pass"), backends=(make_backend("stable", stable.address),)
        )
        with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
            yield running


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_users_are_answered_beside_them(envoy: RunningEnvoy, kind: SlowKind) -> None:
    with slow_sockets(envoy.port, kind, COUNT):
        for path in ("/read", "/pass"):
            answer = httpx.post(f"{envoy.url}{path}", json={"user": "grace"}, timeout=60)
            assert (answer.status_code, answer.json()["server"]) == (200, "stable")
