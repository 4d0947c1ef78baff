"""What asks no model anything passes and measures nothing: preflights without a key, HEAD and OPTIONS with one."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from routing.envoy import EXPLAIN_HEADER, FORCED_VARIANT_HEADER
from routing.table import (
    Access,
    AccessKey,
    Arm,
    Credential,
    Endpoint,
    Issuer,
    RateLimit,
    RateLimitScope,
    Shadow,
    Tier,
    Unit,
    UnitSource,
    parse_condition,
)
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.factories.tokens import Signer
from tests.servers.cors_servers import CorsServer, run_cors_server
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

SIGNER = Signer()
ISSUER = Issuer("idp", "https://login.example.com", (), SIGNER.key_set())
TOKEN = SIGNER.token({"iss": ISSUER.issuer, "sub": "alice", "exp": 4_000_000_000})
KEY = "sk-mobile-1"
OPEN_SESAME = {"authorization": f"Bearer {KEY}"}
GUARDED = Access((AccessKey("mobile", sha256(KEY.encode()).hexdigest()),))
ANONYMOUS = Unit(UnitSource.HEADER, "x-user-id", anonymous=True)
EVERYBODY = Arm("new", "candidate", 0, 10_000)
PREFLIGHT = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
PER_UNIT, PER_CLIENT = (RateLimit(1, 3_600, scope) for scope in (RateLimitScope.UNIT, RateLimitScope.CLIENT))


def endpoint(key: str, **options: Any) -> Endpoint:
    """All of whose users are measured at the candidate."""
    experiment = make_experiment(f"{key}-experiment", EVERYBODY)
    made = make_endpoint(key, experiment, path_prefix=f"/{options.pop('path', key)}", unit=ANONYMOUS)
    return replace(made, **options)


ENDPOINTS = (
    endpoint("anonymous"),
    endpoint("keyed", access=GUARDED),
    endpoint("signed-in", access=Access(issuer="idp"), unit=Unit(UnitSource.CLAIM, "sub", anonymous=True)),
    endpoint("called", backend="secret"),
    endpoint("posting", methods=("POST",)),
    endpoint("reading", path="posting", methods=("GET",), backend="other"),
    endpoint("own-options", path="by-hand", methods=("OPTIONS",), backend="other"),
    endpoint("own-post", path="by-hand", methods=("POST",)),
    endpoint("gpt", path="modelled", models=("gpt",), access=GUARDED),
    endpoint("llama", path="modelled", models=("llama",), backend="other", access=GUARDED),
    endpoint("named", path="with-default", models=("gpt",), backend="other"),
    endpoint("default", path="with-default"),
    endpoint("german", path="by-country", conditions=(parse_condition("x-country is DE"),), backend="other"),
    endpoint("european", path="by-country", conditions=(parse_condition("origin is https://app.example.eu"),)),
    endpoint("hosted", path="hosted", hosts=("api.example.com",)),
    endpoint("tiered", tiers=(Tier("all", "other", (parse_condition("origin is present"),)),)),
    endpoint("shadowed", shadows=(Shadow("s", 0, "new", "candidate", 10_000),)),
    endpoint("limited", rate_limits=(RateLimit(2, 3_600),)),
    endpoint("by-unit", rate_limits=(PER_UNIT,)),
    endpoint("by-client", access=GUARDED, rate_limits=(PER_CLIENT,)),
)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, CorsServer]]:
    with (
        run_cors_server("stable") as stable,
        run_cors_server("candidate") as candidate,
        run_cors_server("other") as other,
    ):
        yield {"stable": stable, "candidate": candidate, "other": other}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, CorsServer]) -> Iterator[RunningEnvoy]:
    backends = [make_backend(name, server.address) for name, server in servers.items()]
    backends.append(
        replace(make_backend("secret", servers["stable"].address), credential=Credential("own", "x-own", ""))
    )
    table = replace(make_table(*ENDPOINTS, backends=tuple(backends)), issuers=(ISSUER,))
    with run_envoy(tmp_path_factory.mktemp("edge"), table, secrets={"own": "s3cret"}) as running:
        yield running


def ask(
    envoy: RunningEnvoy, method: str, path: str, headers: dict[str, str] | None = None, **request: Any
) -> httpx.Response:
    return httpx.request(method, f"{envoy.url}{path}", headers=headers, **request)


def assert_unmeasured(envoy: RunningEnvoy, answer: httpx.Response, endpoint: str, backend: str = "stable") -> None:
    """It is logged as a request of this endpoint, and made no user and drew no variant."""
    line = envoy.logged(answer.headers["x-request-id"])
    assert (line["facts"]["endpoint"], line["facts"]["backend"]) == (endpoint, backend)
    assert (line["unit"], line["facts"].get("experiment"), line["facts"].get("variant")) == (None, None, None)
    assert (line["status"], f"backend\n{backend}\n" in line["answered_by"]) == (answer.status_code, True)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["anonymous", "keyed", "signed-in", "tiered"])
@pytest.mark.parametrize("headers", [{}, {"x-user-id": "alice"}, {"cookie": "sluice-unit=alice"}])
def test_a_preflight_passes_without_a_key_and_measures_nothing(
    envoy: RunningEnvoy, path: str, headers: dict[str, str]
) -> None:
    answer = ask(envoy, "OPTIONS", f"/{path}/v1/chat/completions", {**PREFLIGHT, **headers})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert_unmeasured(envoy, answer, path)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["anonymous", "keyed", "signed-in", "tiered", "limited"])
def test_head_and_other_options_pass_with_a_key_and_measure_nothing(
    envoy: RunningEnvoy, method: str, path: str
) -> None:
    opening = {"authorization": f"Bearer {TOKEN}"} if path == "signed-in" else OPEN_SESAME
    headers = {**opening, "x-user-id": "alice", "origin": "https://app.example.com"}
    answer = ask(envoy, method, f"/{path}/v1/models", headers)

    assert answer.is_success
    assert_unmeasured(envoy, answer, path)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("OPTIONS", {}),
        ("OPTIONS", {"origin": "https://app.example.com"}),
        ("OPTIONS", {"access-control-request-method": "POST"}),
        ("GET", PREFLIGHT),
        ("POST", PREFLIGHT),
        ("HEAD", PREFLIGHT),
    ],
)
@pytest.mark.parametrize("path", ["keyed", "modelled", "signed-in"])
def test_what_is_no_preflight_needs_the_key(
    envoy: RunningEnvoy, servers: dict[str, CorsServer], path: str, method: str, headers: dict[str, str]
) -> None:
    seen = len(servers["stable"].seen)
    body = {"json": {"model": "gpt"}} if method == "POST" else {}

    answer = ask(envoy, method, f"/{path}/v1/models/gpt", headers, **body)

    assert answer.status_code == 401
    assert len(servers["stable"].seen) == seen


def test_what_a_preflight_carries_of_a_key_is_for_no_backend(
    envoy: RunningEnvoy, servers: dict[str, CorsServer]
) -> None:
    secrets = {**OPEN_SESAME, "x-api-key": KEY, "api-key": KEY}

    ask(envoy, "OPTIONS", "/keyed", {**PREFLIGHT, **secrets})

    method, headers = servers["stable"].seen[-1]
    assert method == "OPTIONS"
    assert not secrets.keys() & headers.keys()


@pytest.mark.parametrize("stated", [True, False])
def test_a_preflight_has_no_body(envoy: RunningEnvoy, servers: dict[str, CorsServer], stated: bool) -> None:
    seen = len(servers["stable"].seen)
    body = b'{"prompt": "an answer without a key"}'
    content = body if stated else iter([body])

    answer = ask(envoy, "OPTIONS", "/keyed", PREFLIGHT, content=content)

    assert answer.status_code == 413
    assert len(servers["stable"].seen) == seen


@pytest.mark.parametrize(
    ("path", "headers", "endpoint", "backend"),
    [
        ("posting", {}, "posting", "stable"),
        ("posting", {"access-control-request-method": "GET"}, "reading", "other"),
        ("by-hand", {}, "own-options", "other"),
        ("modelled/v1/chat/completions", {}, "gpt", "stable"),
        ("with-default", {}, "default", "stable"),
        ("by-country", {}, "european", "stable"),
        ("by-country", {"x-country": "DE"}, "german", "other"),
        ("by-country", {"origin": "https://app.example.eu"}, "european", "stable"),
        ("hosted", {"host": "api.example.com"}, "hosted", "stable"),
    ],
)
def test_a_preflight_belongs_to_the_endpoint_of_what_it_announces(
    envoy: RunningEnvoy, path: str, headers: dict[str, str], endpoint: str, backend: str
) -> None:
    answer = ask(envoy, "OPTIONS", f"/{path}", {**PREFLIGHT, **headers})

    assert answer.headers["x-answered-by"] == backend
    assert_unmeasured(envoy, answer, endpoint, backend)


@pytest.mark.parametrize(
    ("path", "headers"),
    [("posting", {"access-control-request-method": "DELETE"}), ("hosted", {"host": "example.org"}), ("nowhere", {})],
)
def test_a_preflight_of_nothing_is_answered_as_what_it_announces(
    envoy: RunningEnvoy, path: str, headers: dict[str, str]
) -> None:
    assert ask(envoy, "OPTIONS", f"/{path}", {**PREFLIGHT, **headers}).status_code == 404


@pytest.mark.parametrize(("path", "backend"), [("modelled", "stable"), ("modelled/models/llama", "other")])
def test_head_finds_its_model_in_the_path_alone(envoy: RunningEnvoy, path: str, backend: str) -> None:
    answer = ask(envoy, "HEAD", f"/{path}", OPEN_SESAME)

    assert answer.headers["x-answered-by"] == backend
    assert_unmeasured(envoy, answer, {"stable": "gpt", "other": "llama"}[backend], backend)


def test_nobody_is_forced_or_copied(envoy: RunningEnvoy, servers: dict[str, CorsServer]) -> None:
    seen = len(servers["candidate"].seen)
    forced = {FORCED_VARIANT_HEADER: "shadowed-experiment/new", EXPLAIN_HEADER: "true"}
    for method, headers in (("OPTIONS", PREFLIGHT), ("HEAD", {}), ("OPTIONS", {})):
        answer = ask(envoy, method, "/shadowed", {**forced, **headers})
        assert_unmeasured(envoy, answer, "shadowed")

    copied = ask(envoy, "POST", "/anonymous", {"x-user-id": "alice"}, json={})
    assert copied.json()["server"] == "candidate"
    assert len(servers["candidate"].seen) == seen + 1


def test_a_preflight_counts_for_the_endpoint_alone(envoy: RunningEnvoy) -> None:
    def statuses(path: str, method: str, *headers: dict[str, str]) -> list[int]:
        return [ask(envoy, method, f"/{path}", each).status_code for each in headers]

    assert statuses("by-unit", "OPTIONS", *[PREFLIGHT] * 3) == [204, 204, 204]
    assert statuses("by-unit", "HEAD", *[{"x-user-id": "alice"}] * 3) == [200, 200, 200]
    assert statuses("by-unit", "POST", {"x-user-id": "alice"}, {"x-user-id": "alice"}) == [200, 429]
    assert statuses("by-client", "OPTIONS", *[PREFLIGHT] * 3) == [204, 204, 204]
    assert statuses("by-client", "HEAD", OPEN_SESAME, OPEN_SESAME) == [200, 429]
    assert statuses("limited", "OPTIONS", *[PREFLIGHT] * 5)[-1] == 429


def test_trace_tells_nobody_what_a_backend_is_called_with(envoy: RunningEnvoy, servers: dict[str, CorsServer]) -> None:
    seen = len(servers["stable"].seen)

    answer = ask(envoy, "TRACE", "/called")

    assert (answer.status_code, answer.json()["code"]) == (405, "method-refused")
    assert "TRACE" not in answer.headers["allow"]
    assert len(servers["stable"].seen) == seen


def test_what_asks_the_model_is_measured_as_ever(envoy: RunningEnvoy) -> None:
    answer = ask(envoy, "POST", "/anonymous", json={})

    line = envoy.logged(answer.headers["x-request-id"])
    assert (line["unit"], line["facts"]["variant"]) == (answer.headers["x-request-id"], "new")
    assert answer.headers["set-cookie"].startswith("sluice-unit=")
