"""What explains an answer is the edge's to tell, to whoever asks: a backend that tells it is not passed on."""

from collections.abc import Iterator

import httpx
import pytest

from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.broken_servers import BrokenServer, end, run_broken_server, say
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

THEIRS = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\nx-sluice-variant: secret\r\n"
    b"X-Sluice-Experiment: unreleased\r\nx-sluice-backend: other\r\nx-other: kept\r\n\r\n{}"
)


@pytest.fixture(scope="module")
def server() -> Iterator[BrokenServer]:
    with run_broken_server(end) as running:
        running.answer = say(THEIRS)
        yield running


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    table = make_table(make_endpoint("chat", path_prefix="/chat"), backends=(make_backend("stable", server.address),))
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


def test_who_does_not_ask_is_told_nothing(envoy: RunningEnvoy) -> None:
    answer = httpx.post(f"{envoy.url}/chat", json={})

    assert answer.headers["x-other"] == "kept"
    assert not [name for name in answer.headers if name.startswith("x-sluice-")]


def test_who_asks_is_told_by_the_edge_alone(envoy: RunningEnvoy) -> None:
    answer = httpx.post(f"{envoy.url}/chat", json={}, headers={"x-sluice-explain": "true"})

    assert answer.headers.get_list("x-sluice-backend") == ["stable"]
    assert "x-sluice-experiment" not in answer.headers
