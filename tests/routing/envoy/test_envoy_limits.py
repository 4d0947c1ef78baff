"""How long an endpoint waits, how much it takes, and how much its backend gets at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.table import Endpoint, Limits
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SECONDS = 2.0
"""A limit that a busy machine keeps, where the other side does what it should."""

NEVER = 3600


def limited(key: str, limits: Limits, **options: Any) -> Endpoint:
    """Nothing but these limits ends a request after a time."""
    return replace(make_endpoint(key, path_prefix=f"/{key}", timeout_seconds=0, **options), limits=limits)


@pytest.fixture(scope="module")
def stable() -> Iterator[ModelServer]:
    with run_model_server("stable") as server:
        yield server


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, stable: ModelServer) -> Iterator[RunningEnvoy]:
    endpoints = (
        limited("first-byte", Limits(first_byte_seconds=SECONDS)),
        limited("idle", Limits(idle_seconds=SECONDS)),
        limited("small", Limits(body_bytes=1_000), backend="plain"),
        limited("small-read", Limits(body_bytes=1_000)),
        limited("busy", Limits(), backend="narrow"),
    )
    backends = (
        make_backend("stable", stable.address),
        make_backend("plain", stable.address, protocol="http"),
        replace(make_backend("narrow", stable.address), concurrency=2),
    )
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(*endpoints, backends=backends)) as running:
        yield running


def test_an_answer_that_does_not_begin_in_time_is_given_up(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/first-byte", json={"wait": NEVER})

    assert (response.status_code, response.json()["code"]) == (504, "backend-timeout")
    assert envoy.logged(response.headers["x-request-id"])["flags"] == "UT"


def test_an_answer_that_has_begun_may_take_longer(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/first-byte", json={"stream": True, "chunks": 6, "wait": SECONDS / 4})

    assert response.text.endswith("data: [DONE]\n\n")
    assert envoy.logged(response.headers["x-request-id"])["duration_ms"] > SECONDS * 1000


def test_an_answer_that_falls_silent_is_given_up(envoy: RunningEnvoy) -> None:
    with (
        pytest.raises(httpx.TransportError),
        httpx.stream("POST", f"{envoy.url}/idle", json={"stream": True, "wait": NEVER}) as response,
    ):
        response.read()

    assert envoy.row(response.headers["x-request-id"])["finish"] == "timeout"


def test_an_answer_that_keeps_coming_is_never_given_up(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/idle", json={"stream": True, "chunks": 6, "wait": SECONDS / 4})

    assert response.text.endswith("data: [DONE]\n\n")
    assert envoy.logged(response.headers["x-request-id"])["duration_ms"] > SECONDS * 1000


@pytest.mark.parametrize("path", ["/small", "/small-read"])
def test_a_request_that_is_too_large_for_the_endpoint_is_refused(envoy: RunningEnvoy, path: str) -> None:
    fits = httpx.post(f"{envoy.url}{path}", json={"prompt": "y" * 900})
    large = httpx.post(f"{envoy.url}{path}", json={"prompt": "y" * 1_100})
    parts = iter([b'{"prompt": "', b"y" * 1_100, b'"}'])
    chunked = httpx.post(f"{envoy.url}{path}", content=parts, headers={"content-type": "application/json"})

    assert fits.status_code == 200
    assert (large.status_code, large.json()["code"]) == (413, "request-too-large")
    assert chunked.status_code == 413


def test_a_backend_gets_no_more_at_once_than_it_may(envoy: RunningEnvoy, stable: ModelServer) -> None:
    before = len(stable.seen)
    stable.holding = True
    with ThreadPoolExecutor() as threads:
        try:
            held = [threads.submit(httpx.post, f"{envoy.url}/busy", json={}) for _ in range(2)]
            wait_until(lambda: len(stable.seen) == before + 2)
            refused = [httpx.post(f"{envoy.url}/busy", json={}) for _ in range(4)]
        finally:
            stable.holding = False

    assert [answer.result().status_code for answer in held] == [200, 200]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(503, "backend-busy")] * 4
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert httpx.post(f"{envoy.url}/busy", json={}).status_code == 200
