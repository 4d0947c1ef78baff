"""A shadow gets copies of requests; users never notice, and both answers are logged under one request id."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.envoy.names import SHADOWS
from routing.table import Shadow, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def candidate() -> Iterator[ModelServer]:
    with run_model_server("candidate") as server:
        yield server


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, candidate: ModelServer) -> Iterator[RunningEnvoy]:
    def shadowed(key: str, backend: str = "candidate", share: int = 10_000) -> Any:
        shadow = Shadow(f"{key}-shadow", 0, "new", backend, share)
        unit = Unit(UnitSource.BODY, "user")
        return replace(make_endpoint(key, path_prefix=f"/{key}", unit=unit), shadows=(shadow,), rewrite="/v1")

    with run_model_server("stable") as stable:
        backends = (
            make_backend("stable", stable.address),
            replace(make_backend("candidate", candidate.address), prompt_price=5.0),
            make_backend("gone", "http://127.0.0.1:1"),
        )
        endpoints = (shadowed("all"), shadowed("some", share=3_000), shadowed("dead", "gone"))
        with run_envoy(tmp_path_factory.mktemp("edge"), make_table(*endpoints, backends=backends)) as running:
            yield running


def lines_of(envoy: RunningEnvoy, request_id: str) -> list[dict[str, Any]]:
    """What is logged of the answer that was shown, and of the copy's."""
    return sorted(envoy.logged_all(request_id, 2), key=lambda line: bool(line["facts"].get("shadow")))


def copies_under_way(envoy: RunningEnvoy) -> int:
    """How many copies were made, and are not answered yet."""
    return int(envoy.admin(f"/stats?filter=^cluster.{SHADOWS}.upstream_rq_active$").partition(": ")[2])


@pytest.mark.parametrize("body", [{}, {"stream": True, "stream_options": {"include_usage": True}}])
def test_both_answers_are_logged_under_one_request_id(envoy: RunningEnvoy, body: dict[str, Any]) -> None:
    response = httpx.post(f"{envoy.url}/all/chat", json={**body, "user": "alice"})

    shown, copy = lines_of(envoy, response.headers["x-request-id"])
    assert (shown["facts"]["backend"], shown["facts"].get("experiment")) == ("stable", None)
    assert (copy["facts"]["backend"], copy["facts"]["experiment"], copy["facts"]["variant"]) == (
        "candidate",
        "all-shadow",
        "new",
    )
    assert shown["unit"] == copy["unit"] == "alice"
    assert all("completion_tokens\n22" in line["facts"]["answer"] for line in (shown, copy))
    assert "prompt_price\n5.0" in copy["answered_by"]


def test_a_copy_is_the_request_that_the_backend_got(envoy: RunningEnvoy, candidate: ModelServer) -> None:
    response = httpx.post(f"{envoy.url}/all/chat?x=1", json={"user": "alice"}, headers={"x-own": "kept"})

    lines_of(envoy, response.headers["x-request-id"])
    assert candidate.paths[-1] == "/v1/chat?x=1"
    assert candidate.seen[-1]["x-own"] == "kept"
    assert "x-sluice-shadow" not in candidate.seen[-1]


def test_a_candidate_that_fails_is_not_noticed(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/dead", json={})

    assert (response.status_code, response.json()["server"]) == (200, "stable")
    _, copy = lines_of(envoy, response.headers["x-request-id"])
    assert (copy["status"], copy["facts"]["backend"]) == (503, "gone")


def test_a_candidate_that_hangs_is_not_waited_for(envoy: RunningEnvoy, candidate: ModelServer) -> None:
    before = len(candidate.seen)
    candidate.holding = True
    try:
        response = httpx.post(f"{envoy.url}/all", json={})
        wait_until(lambda: len(candidate.seen) > before)
    finally:
        candidate.holding = False

    assert (response.status_code, response.json()["server"]) == (200, "stable")
    _, copy = lines_of(envoy, response.headers["x-request-id"])
    assert (copy["status"], copy["facts"]["backend"]) == (200, "candidate")


def test_a_share_of_the_requests_is_copied(envoy: RunningEnvoy) -> None:
    with httpx.Client(base_url=envoy.url) as client:
        ids = {client.post("/some", json={}).headers["x-request-id"] for _ in range(400)}
    wait_until(lambda: copies_under_way(envoy) == 0)
    marker = httpx.post(f"{envoy.url}/all", json={}).headers["x-request-id"]

    lines_of(envoy, marker)
    copied = [line for line in envoy.log_lines(400) if line["request_id"] in ids and line["facts"].get("shadow")]
    # 400 draws at 0.3: six standard deviations are 55.
    assert abs(len(copied) - 120) < 55


def test_a_client_cannot_ask_for_a_shadow(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/all", json={}, headers={"x-sluice-shadow": "some-shadow/new"})

    shown, copy = lines_of(envoy, response.headers["x-request-id"])
    assert shown["facts"]["backend"] == "stable"
    assert copy["facts"]["experiment"] == "all-shadow"
