"""While a backend has no healthy host, its fallback answers, and the log says so."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from routing.table import Arm
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def own() -> Iterator[ModelServer]:
    with run_model_server("own") as server:
        yield server


@pytest.fixture
def envoy(tmp_path_factory: pytest.TempPathFactory, own: ModelServer) -> Iterator[RunningEnvoy]:
    with run_model_server("api") as api:
        backends = (
            make_backend("stable", api.address),
            replace(make_backend("own", own.address), fallback="api"),
            replace(make_backend("api", api.address), prompt_price=100.0),
        )
        endpoint = make_endpoint("chat", make_experiment("self-hosted", Arm("new", "own", 0, 10_000)))
        with run_envoy(tmp_path_factory.mktemp("edge"), make_table(endpoint, backends=backends)) as running:
            yield running


def ask(envoy: RunningEnvoy) -> httpx.Response:
    return httpx.post(f"{envoy.url}/chat", json={}, headers={"x-user-id": "alice"})


def test_a_healthy_backend_answers_itself(envoy: RunningEnvoy) -> None:
    response = ask(envoy)

    assert response.json()["server"] == "own"
    row = envoy.row(response.headers["x-request-id"])
    assert (row["backend"], row["answered_by"]) == ("own", "own")
    assert row["cost"] == (11 * 1.0 + 22 * 2.0) / 1_000_000


def test_the_fallback_answers_while_it_is_not_and_no_longer(envoy: RunningEnvoy, own: ModelServer) -> None:
    own.healthy = False
    wait_until(lambda: ask(envoy).json()["server"] == "api")

    response = ask(envoy)

    row = envoy.row(response.headers["x-request-id"])
    assert (row["variant"], row["backend"], row["answered_by"], row["status"]) == ("new", "own", "api", 200)
    assert row["cost"] == (11 * 100.0 + 22 * 2.0) / 1_000_000
    own.healthy = True
    wait_until(lambda: ask(envoy).json()["server"] == "own")
