"""Rate limits: who is counted together, what an answer shows of them, and what the log says of who was refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from routing.access_log import to_row
from routing.allocation.unit_identity import unit_hash
from routing.table import (
    Access,
    AccessKey,
    Arm,
    Endpoint,
    Issuer,
    RateLimit,
    RateLimitScope,
    Unit,
    UnitSource,
)
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.factories.tokens import Signer
from tests.servers.cors_servers import CorsServer, run_cors_server
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

SIGNER = Signer()
ISSUER = Issuer("idp", "https://login.example.com", (), SIGNER.key_set())
KEY = "sk-mobile-1"
KEYS = (AccessKey("mobile", sha256(KEY.encode()).hexdigest()),)
UNIT_KEY = b"k" * 32

HOUR = 3_600
GIVEN = "6e40e4e5-54ba-4935-b4d8-d795c65a9a38"
"""What an edge once gave somebody as a unit."""

PER_UNIT, PER_CLIENT = (RateLimit(2, HOUR, scope) for scope in (RateLimitScope.UNIT, RateLimitScope.CLIENT))
BACKENDS_OWN = {"x-ratelimit-limit": "500", "x-ratelimit-remaining": "499", "x-ratelimit-reset": "1s"}


def token(subject: str) -> dict[str, str]:
    claims = {"iss": ISSUER.issuer, "sub": subject, "exp": 4_000_000_000}
    return {"authorization": f"Bearer {SIGNER.token(claims)}"}


def endpoint(key: str, *limits: RateLimit, **options: Any) -> Endpoint:
    return replace(make_endpoint(key, path_prefix=f"/{key}"), rate_limits=limits, **options)


def by(source: UnitSource, name: str, **options: Any) -> dict[str, Any]:
    return {"unit": Unit(source, name, **options)}


ENDPOINTS = (
    endpoint("free"),
    endpoint("free-model", path_prefix="/shared", models=("free",)),
    endpoint("limited-model", RateLimit(1, HOUR), path_prefix="/shared", models=("limited",)),
    endpoint("whole", RateLimit(3, HOUR)),
    endpoint("both", RateLimit(5, HOUR), RateLimit(3, HOUR, RateLimitScope.UNIT)),
    endpoint("by-header", PER_UNIT),
    endpoint("by-other-header", PER_UNIT, **by(UnitSource.HEADER, "x-session")),
    endpoint("by-cookie", PER_UNIT, **by(UnitSource.COOKIE, "session")),
    endpoint("by-body", PER_UNIT, **by(UnitSource.BODY, "metadata.user_id")),
    endpoint("by-claim", PER_UNIT, access=Access(issuer="idp"), **by(UnitSource.CLAIM, "sub")),
    endpoint("anonymous", PER_UNIT, **by(UnitSource.HEADER, "x-user-id", anonymous=True)),
    endpoint("by-client", PER_CLIENT, access=Access(KEYS, issuer="idp")),
    endpoint(
        "measured",
        RateLimit(1, HOUR, RateLimitScope.UNIT),
        experiments=(make_experiment("new-model", Arm("new", "candidate", 0, 10_000)),),
    ),
    endpoint("refusing", RateLimit(10, HOUR), backend="refusing"),
    endpoint("refusing-freely", backend="refusing"),
)


@pytest.fixture(scope="module")
def stable() -> Iterator[CorsServer]:
    with run_cors_server("stable") as server:
        server.headers = BACKENDS_OWN
        yield server


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, stable: CorsServer) -> Iterator[RunningEnvoy]:
    with run_cors_server("refusing") as refusing:
        refusing.status, refusing.headers = 429, BACKENDS_OWN
        backends = (
            make_backend("stable", stable.address),
            make_backend("candidate", stable.address),
            make_backend("refusing", refusing.address),
        )
        table = replace(make_table(*ENDPOINTS, backends=backends), issuers=(ISSUER,))
        with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
            yield running


def ask(envoy: RunningEnvoy, path: str, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
    return httpx.post(f"{envoy.url}/{path}", **{"json": {}, **request}, headers=headers)


def statuses(envoy: RunningEnvoy, path: str, headers: dict[str, str], times: int = 3, **request: Any) -> list[int]:
    return [ask(envoy, path, headers, **request).status_code for _ in range(times)]


def shown(answer: httpx.Response) -> dict[str, list[str]]:
    """All that an answer says of rate limits."""
    return {
        name: answer.headers.get_list(name) for name in answer.headers if "ratelimit" in name or name == "retry-after"
    }


@pytest.mark.parametrize(("path", "model"), [("free", None), ("shared", "free")])
def test_an_endpoint_without_a_limit_shows_what_its_backend_says(
    envoy: RunningEnvoy, path: str, model: str | None
) -> None:
    answers = [ask(envoy, path, json={"model": model}) for _ in range(3)]

    assert [shown(answer) for answer in answers] == [{name: [value] for name, value in BACKENDS_OWN.items()}] * 3


@pytest.mark.parametrize("path", ["nowhere", "shared"])
def test_an_answer_of_no_endpoint_shows_none(envoy: RunningEnvoy, path: str) -> None:
    answer = ask(envoy, path, json={"model": "unheard-of"})

    assert (answer.status_code, shown(answer)) == (404, {})


def test_an_endpoint_with_a_limit_shows_its_own_and_no_other(envoy: RunningEnvoy) -> None:
    answers = [ask(envoy, "whole") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [shown(answer)["x-ratelimit-limit"] for answer in answers] == [["3"]] * 4
    assert [shown(answer)["x-ratelimit-remaining"] for answer in answers] == [["2"], ["1"], ["0"], ["0"]]
    assert ["retry-after" in answer.headers for answer in answers] == [False, False, False, True]
    assert answers[3].headers["retry-after"] == answers[3].headers["x-ratelimit-reset"]


def test_of_several_limits_each_counts_and_the_nearest_is_shown(envoy: RunningEnvoy) -> None:
    first = ask(envoy, "both", {"x-user-id": "alice"})
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("3", "2")

    assert statuses(envoy, "both", {"x-user-id": "alice"}) == [200, 200, 429]
    assert statuses(envoy, "both", {"x-user-id": "bob"}) == [200, 200, 429]


@pytest.mark.parametrize(
    ("path", "alice", "bob", "request_"),
    [
        ("by-header", {"x-user-id": "alice"}, {"x-user-id": "bob"}, {}),
        ("by-other-header", {"x-session": "1", "x-user-id": "alice"}, {"x-session": "2", "x-user-id": "alice"}, {}),
        ("by-cookie", {"cookie": "session=1"}, {"cookie": "session=2"}, {}),
        ("by-claim", token("alice"), token("bob"), {}),
        ("anonymous", {"x-user-id": "alice"}, {"cookie": f"sluice-unit={GIVEN}"}, {}),
        ("by-client", {"x-api-key": KEY}, token("alice"), {}),
    ],
)
def test_a_limit_counts_each_apart(
    envoy: RunningEnvoy, path: str, alice: dict[str, str], bob: dict[str, str], request_: dict[str, Any]
) -> None:
    assert statuses(envoy, path, alice, **request_) == [200, 200, 429]
    assert statuses(envoy, path, bob, **request_) == [200, 200, 429]


def test_a_limit_counts_units_of_bodies_apart(envoy: RunningEnvoy) -> None:
    for user in ("alice", "bob"):
        assert statuses(envoy, "by-body", {}, json={"metadata": {"user_id": user}}) == [200, 200, 429]


@pytest.mark.parametrize("path", ["by-header", "by-other-header", "by-cookie", "by-body", "anonymous"])
def test_nobody_escapes_a_limit_by_sending_no_unit(envoy: RunningEnvoy, path: str) -> None:
    """Whoever names none is counted by address, beside all who name one."""
    assert statuses(envoy, path, {}) == [200, 200, 429]
    assert statuses(envoy, path, {"x-user-id": "", "x-session": ""}) == [429, 429, 429]


def test_nobody_escapes_a_limit_by_naming_no_client(envoy: RunningEnvoy) -> None:
    """A token names none; test_a_limit_counts_each_apart has used up what this address may."""
    ask(envoy, "by-client", token("carol"))
    ask(envoy, "by-client", token("carol"))

    assert statuses(envoy, "by-client", token("dave")) == [429, 429, 429]


def test_who_is_refused_is_named_in_the_log_and_measured_as_nothing(envoy: RunningEnvoy) -> None:
    passed, refused = (ask(envoy, "measured", {"x-user-id": "alice"}) for _ in range(2))

    assert (passed.status_code, refused.status_code) == (200, 429)
    line = envoy.logged(refused.headers["x-request-id"])
    row = to_row(json.dumps(line).encode(), "edge", UNIT_KEY)
    assert (row["unit"], row["endpoint"], row["status"]) == (unit_hash(UNIT_KEY, "alice"), "measured", 429)
    assert (row["experiment"], row["variant"], row["result"]) == (None, None, "refused")
    assert envoy.logged(passed.headers["x-request-id"])["facts"]["variant"] == "new"


@pytest.mark.parametrize("path", ["refusing", "refusing-freely"])
def test_a_backend_that_refuses_says_itself_when_to_come_again(envoy: RunningEnvoy, path: str) -> None:
    answer = ask(envoy, path)

    assert (answer.status_code, answer.json()["server"]) == (429, "refusing")
    assert "retry-after" not in answer.headers
    assert shown(answer)["x-ratelimit-limit"] == ["10" if path == "refusing" else "500"]
