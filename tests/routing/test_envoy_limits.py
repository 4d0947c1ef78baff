"""How long an endpoint waits, how much it takes, and how much its backend gets at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.table import Endpoint, Limits
from tests.routing.envoys import RunningEnvoy, run_envoy
from tests.routing.model_servers import run_model_server
from tests.routing.tables import make_backend, make_endpoint, make_table


def limited(key: str, limits: Limits, **options: Any) -> Endpoint:
    return replace(make_endpoint(key, path_prefix=f"/{key}", **options), limits=limits)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    endpoints = (
        limited("first-byte", Limits(first_byte_seconds=0.5)),
        limited("idle", Limits(idle_seconds=0.5)),
        limited("small", Limits(body_bytes=1_000), backend="plain"),
        limited("small-read", Limits(body_bytes=1_000)),
        limited("busy", Limits(), backend="narrow"),
    )
    with run_model_server("stable") as stable:
        backends = (
            make_backend("stable", stable.address),
            make_backend("plain", stable.address, protocol="http"),
            replace(make_backend("narrow", stable.address), concurrency=2),
        )
        table = make_table(*endpoints, backends=backends)
        with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
            yield running


def test_an_answer_that_does_not_begin_in_time_is_given_up(envoy: RunningEnvoy) -> None:
    started = time.monotonic()

    response = httpx.post(f"{envoy.url}/first-byte", json={"wait": 5})

    assert time.monotonic() - started < 2
    assert (response.status_code, response.json()["code"]) == (504, "backend-timeout")
    assert envoy.logged(response.headers["x-request-id"])["flags"] == "UT"


def test_an_answer_that_has_begun_may_take_longer(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/first-byte", json={"stream": True, "chunks": 4, "wait": 0.3})

    assert response.text.endswith("data: [DONE]\n\n")


def test_an_answer_that_falls_silent_is_given_up(envoy: RunningEnvoy) -> None:
    started = time.monotonic()

    with (
        pytest.raises(httpx.TransportError),
        httpx.stream("POST", f"{envoy.url}/idle", json={"stream": True, "chunks": 2, "wait": 5}) as response,
    ):
        response.read()

    assert time.monotonic() - started < 2


def test_an_answer_that_keeps_coming_is_never_given_up(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/idle", json={"stream": True, "chunks": 6, "wait": 0.2})

    assert response.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("path", ["/small", "/small-read"])
def test_a_request_that_is_too_large_for_the_endpoint_is_refused(envoy: RunningEnvoy, path: str) -> None:
    fits = httpx.post(f"{envoy.url}{path}", json={"prompt": "y" * 900})
    large = httpx.post(f"{envoy.url}{path}", json={"prompt": "y" * 1_100})
    parts = iter([b'{"prompt": "', b"y" * 1_100, b'"}'])
    chunked = httpx.post(f"{envoy.url}{path}", content=parts, headers={"content-type": "application/json"})

    assert fits.status_code == 200
    assert (large.status_code, large.json()["code"]) == (413, "request-too-large")
    assert chunked.status_code == 413


def test_a_backend_gets_no_more_at_once_than_it_may(envoy: RunningEnvoy) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: httpx.post(f"{envoy.url}/busy", json={"wait": 0.5}), range(6)))

    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(answers) - len(refused) == 2
    assert {answer.json()["code"] for answer in refused} == {"backend-busy"}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert httpx.post(f"{envoy.url}/busy", json={}).status_code == 200
