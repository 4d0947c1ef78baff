"""Which endpoint a request belongs to."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.allocation.assign import assign
from routing.table import Arm, Endpoint, Table, Unit, UnitSource, parse_condition
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server

pytestmark = pytest.mark.slow

BY_USER = Unit(UnitSource.BODY, "user")
SPLIT = make_experiment("large-model", Arm("control", "large", 0, 5_000), Arm("new", "new", 5_000, 10_000))


def endpoint(key: str, path_prefix: str = "/v1", **options: Any) -> Endpoint:
    return replace(make_endpoint(key, path_prefix=path_prefix, backend="large"), **options)


ENDPOINTS = (
    endpoint("anything"),
    endpoint("large", models=("gpt-large", "gpt-larger"), unit=BY_USER, experiments=(SPLIT,)),
    endpoint("small", models=("gpt-small",), backend="small"),
    endpoint("embeddings", "/v1/embeddings", models=("embed",), backend="small"),
    endpoint("triton", "/triton", models=("resnet",), backend="small"),
    endpoint("listing", "/v1/models", methods=("GET",), backend="small"),
    endpoint("beta", "/chat", conditions=(parse_condition("x-beta is present"),), backend="new"),
    endpoint("german", "/chat", conditions=(parse_condition("x-country is DE, AT"),), backend="small"),
    endpoint("elsewhere", "/chat", hosts=("api.example.com", "*.example.org"), backend="small"),
    endpoint("chat", "/chat"),
    endpoint("renamed", "/renamed", rewrite="/v2", backend="small"),
    endpoint("rooted", "/rooted", rewrite="/", backend="small"),
)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ModelServer]]:
    with run_model_server("large") as large, run_model_server("small") as small, run_model_server("new") as new:
        yield {"large": large, "small": small, "new": new}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, ModelServer]) -> Iterator[RunningEnvoy]:
    backends = tuple(make_backend(name, server.address) for name, server in servers.items())
    table: Table = make_table(*ENDPOINTS, backends=backends)
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


def found(envoy: RunningEnvoy, path: str, method: str = "POST", **request: Any) -> dict[str, Any]:
    """What the access log says about a request."""
    response = httpx.request(method, f"{envoy.url}{path}", **request)
    assert response.status_code == 200, response.text
    return envoy.logged(response.headers["x-request-id"])


@pytest.mark.parametrize(
    ("path", "body", "endpoint"),
    [
        ("/v1/chat/completions", {"model": "gpt-large"}, "large"),
        ("/v1/completions", {"model": "gpt-larger"}, "large"),
        ("/v1/responses", {"model": "gpt-small"}, "small"),
        ("/v1/chat/completions", {"model": "unheard-of"}, "anything"),
        ("/v1/chat/completions", {}, "anything"),
        ("/v1/chat/completions", {"model": 7}, "anything"),
        ("/v1/embeddings", {"model": "embed"}, "embeddings"),
        ("/triton/v2/models/resnet/infer", {}, "triton"),
        ("/triton/v2/models/resnet/versions/3/infer", {}, "triton"),
    ],
)
def test_the_model_decides(envoy: RunningEnvoy, path: str, body: dict[str, Any], endpoint: str) -> None:
    assert found(envoy, path, json=body)["facts"]["endpoint"] == endpoint


@pytest.mark.parametrize("path", ["/v1/embeddings", "/triton/v2/models/other/infer", "/triton/v2/health/ready"])
def test_a_model_that_nobody_serves_gets_a_problem_that_says_so(envoy: RunningEnvoy, path: str) -> None:
    response = httpx.post(f"{envoy.url}{path}", json={"model": "unheard-of"})

    assert response.status_code == 404
    assert response.json()["detail"] == 'No endpoint on this path serves the model "unheard-of".'


def test_where_the_model_decides_the_unit_of_the_body_is_assigned_as_ever(envoy: RunningEnvoy) -> None:
    for number in range(8):
        unit = f"user-{number}"

        line = found(envoy, "/v1/chat/completions", json={"model": "gpt-large", "user": unit})

        assert line["unit"] == unit
        assert line["facts"]["variant"] == assign(ENDPOINTS[1], unit).variant
        assert envoy.row(line["request_id"])["prompt_tokens"] == 11


def test_the_method_decides(envoy: RunningEnvoy) -> None:
    assert found(envoy, "/v1/models", "GET")["facts"]["endpoint"] == "listing"
    assert found(envoy, "/v1/models", "POST", json={})["facts"]["endpoint"] == "anything"


@pytest.mark.parametrize(
    ("headers", "endpoint"),
    [
        ({}, "chat"),
        ({"x-country": "DE"}, "german"),
        ({"x-country": "AT"}, "german"),
        ({"x-country": "de"}, "chat"),
        ({"x-country": "DEU"}, "chat"),
        ({"x-beta": ""}, "beta"),
        ({"host": "api.example.com"}, "elsewhere"),
        ({"host": "API.example.com:8080"}, "elsewhere"),
        ({"host": "eu.example.org"}, "elsewhere"),
        ({"host": "example.org"}, "chat"),
        ({"host": "api.example.com.evil"}, "chat"),
    ],
)
def test_headers_and_hosts_decide(envoy: RunningEnvoy, headers: dict[str, str], endpoint: str) -> None:
    assert found(envoy, "/chat", json={}, headers=headers)["facts"]["endpoint"] == endpoint


@pytest.mark.parametrize(
    ("path", "at_the_backend"),
    [
        ("/renamed/chat/completions?x=1", "/v2/chat/completions?x=1"),
        ("/renamed", "/v2"),
        ("/rooted/v1/chat", "/v1/chat"),
        ("/rooted", "/"),
    ],
)
def test_a_prefix_is_replaced_on_the_way(
    envoy: RunningEnvoy, servers: dict[str, ModelServer], path: str, at_the_backend: str
) -> None:
    found(envoy, path, json={})

    assert servers["small"].paths[-1] == at_the_backend


def test_a_body_that_is_too_large_for_its_model_to_be_read_is_refused(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/v1/x", content=b"y" * (33 << 20), headers={"content-type": "application/json"})

    assert response.status_code == 413
    assert response.json()["code"] == "request-too-large"
