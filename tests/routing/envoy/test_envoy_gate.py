"""Who may call an endpoint, how often, and what the backend and the log get to see of it."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from routing.table import (
    Access,
    AccessKey,
    Arm,
    Credential,
    Issuer,
    RateLimit,
    RateLimitScope,
    Unit,
    UnitSource,
)
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.factories.tokens import Signer
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SIGNER, STRANGER = Signer(), Signer()
ISSUER = Issuer("idp", "https://login.example.com", ("chat",), SIGNER.key_set())
CLAIMS = {"iss": ISSUER.issuer, "aud": "chat", "sub": "alice", "exp": 4_000_000_000}
HOUR = 3600
KEYS = {"mobile": "sk-mobile-1", "batch": "sk-" + "b" * 100, "odd": 'ö%s" ]=] --[['}


def access(*clients: str, issuer: str | None = None, many: int = 0) -> Access:
    others = [AccessKey("other", sha256(f"other {number}".encode()).hexdigest()) for number in range(many)]
    own = [AccessKey(client, sha256(KEYS[client].encode()).hexdigest()) for client in clients]
    return Access((*others, *own), issuer)


ENDPOINTS = (
    replace(make_endpoint("open", path_prefix="/open"), backend="stable"),
    replace(make_endpoint("keyed", path_prefix="/keyed"), access=access("mobile", "odd", many=5_000)),
    replace(
        make_endpoint("signed", make_experiment("e", Arm("new", "stable", 0, 10_000)), path_prefix="/signed"),
        unit=Unit(UnitSource.CLAIM, "sub"),
        access=Access(issuer="idp"),
    ),
    replace(make_endpoint("either", path_prefix="/either"), access=access("batch", issuer="idp")),
    replace(make_endpoint("modelled", path_prefix="/modelled"), models=("gpt",), access=access("mobile")),
    replace(make_endpoint("called", path_prefix="/called"), backend="secret"),
    replace(make_endpoint("limited", path_prefix="/limited"), rate_limits=(RateLimit(3, HOUR),)),
    replace(make_endpoint("by-unit", path_prefix="/by-unit"), rate_limits=(RateLimit(2, HOUR, RateLimitScope.UNIT),)),
    replace(
        make_endpoint("by-client", path_prefix="/by-client"),
        access=access("mobile", "batch"),
        rate_limits=(RateLimit(2, HOUR, RateLimitScope.CLIENT),),
    ),
)


@pytest.fixture(scope="module")
def stable() -> Iterator[ModelServer]:
    with run_model_server("stable") as server:
        yield server


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, stable: ModelServer) -> Iterator[RunningEnvoy]:
    backends = (
        make_backend("stable", stable.address),
        replace(make_backend("away", "http://127.0.0.1:1"), fallback="api", credential=Credential("own", "x-own", "")),
        replace(make_backend("secret", "http://127.0.0.1:1"), fallback="api"),
        replace(make_backend("api", stable.address), credential=Credential("api-key")),
    )
    table = replace(make_table(*ENDPOINTS, backends=backends), issuers=(ISSUER,))
    secrets = {"api-key": "s3cret%1", "own": "mine"}
    with run_envoy(tmp_path_factory.mktemp("edge"), table, secrets=secrets) as running:
        yield running


def ask(envoy: RunningEnvoy, path: str, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
    encoded = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return httpx.post(f"{envoy.url}{path}", **{"json": {}, **request}, headers=encoded)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_an_endpoint_without_keys_lets_anybody_in_and_passes_on_what_they_send(
    envoy: RunningEnvoy, stable: ModelServer
) -> None:
    assert ask(envoy, "/open", bearer("their own")).status_code == 200
    assert stable.seen[-1]["authorization"] == "Bearer their own"


@pytest.mark.parametrize(
    "headers",
    [
        bearer(KEYS["mobile"]),
        {"authorization": f"bearer  {KEYS['mobile']}"},
        {"x-api-key": KEYS["mobile"]},
        {"api-key": KEYS["odd"]},
    ],
)
def test_who_has_a_key_is_let_in_and_named_in_the_log(
    envoy: RunningEnvoy, stable: ModelServer, headers: dict[str, str]
) -> None:
    response = ask(envoy, "/keyed", headers)

    assert response.status_code == 200
    client = "odd" if "api-key" in headers else "mobile"
    assert envoy.logged(response.headers["x-request-id"])["facts"]["client"] == client
    assert not {"authorization", "x-api-key", "api-key"} & stable.seen[-1].keys()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "key-missing"),
        (bearer("-"), "key-unknown"),
        (bearer("sk-mobile-2"), "key-unknown"),
        (bearer(KEYS["batch"]), "key-unknown"),
        (bearer("x" * 2_000), "key-unknown"),
        ({"authorization": "Basic c2stbW9iaWxlLTE="}, "key-missing"),
        (bearer(sha256(KEYS["mobile"].encode()).hexdigest()), "key-unknown"),
    ],
)
@pytest.mark.parametrize("path", ["/keyed", "/modelled"])
def test_who_has_none_is_not_let_in(
    envoy: RunningEnvoy, stable: ModelServer, headers: dict[str, str], code: str, path: str
) -> None:
    seen = len(stable.seen)

    response = ask(envoy, path, headers, json={"model": "gpt"})

    assert (response.status_code, response.json()["code"]) == (401, code)
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/problem+json"
    assert len(stable.seen) == seen


def test_where_the_model_decides_a_key_opens_too(envoy: RunningEnvoy) -> None:
    assert ask(envoy, "/modelled", bearer(KEYS["mobile"]), json={"model": "gpt"}).status_code == 200


def test_the_unit_of_a_token(envoy: RunningEnvoy, stable: ModelServer) -> None:
    token = SIGNER.token(CLAIMS)

    response = ask(envoy, "/signed", bearer(token))

    line = envoy.logged(response.headers["x-request-id"])
    assert (response.status_code, line["unit"], line["facts"]["variant"]) == (200, "alice", "new")
    assert "authorization" not in stable.seen[-1]


@pytest.mark.parametrize(
    "token",
    [
        SIGNER.token({**CLAIMS, "exp": 1_000_000_000}),
        SIGNER.token({name: value for name, value in CLAIMS.items() if name != "exp"}),
        SIGNER.token({**CLAIMS, "aud": "other"}),
        SIGNER.token({**CLAIMS, "iss": "https://elsewhere.example.com"}),
        SIGNER.token({**CLAIMS, "nbf": 3_999_999_999}),
        STRANGER.token(CLAIMS),
        SIGNER.token(CLAIMS)[:-4] + "AAAA",
        SIGNER.token(CLAIMS, alg="none"),
        SIGNER.token(CLAIMS, alg="none").rpartition(".")[0] + ".",
        "no.token.here",
    ],
)
def test_a_token_that_is_wrong_lets_nobody_in(envoy: RunningEnvoy, token: str) -> None:
    response = ask(envoy, "/signed", bearer(token))

    assert response.status_code == 401
    assert envoy.logged(response.headers["x-request-id"])["unit"] is None


def test_a_key_or_a_token_will_do(envoy: RunningEnvoy) -> None:
    assert ask(envoy, "/either", bearer(KEYS["batch"])).status_code == 200
    assert ask(envoy, "/either", bearer(SIGNER.token(CLAIMS))).status_code == 200
    assert ask(envoy, "/either", bearer(STRANGER.token(CLAIMS))).status_code == 401


def test_keys_and_tokens_are_in_no_log(envoy: RunningEnvoy) -> None:
    token = SIGNER.token(CLAIMS)
    for path, key in (("/keyed", KEYS["mobile"]), ("/keyed", "wrong-key"), ("/either", token)):
        envoy.logged(ask(envoy, path, bearer(key)).headers["x-request-id"])

    logged = envoy.directory.access_log.read_text()
    assert not [secret for secret in (KEYS["mobile"], "wrong-key", token, "s3cret", "mine") if secret in logged]


def test_a_backend_is_called_with_its_own_credential_also_as_a_fallback(
    envoy: RunningEnvoy, stable: ModelServer
) -> None:
    wait_until(lambda: ask(envoy, "/called", {**bearer("the client's"), "x-own": "theirs"}).status_code == 200)

    assert stable.seen[-1]["authorization"] == "Bearer s3cret%1"
    assert stable.seen[-1]["x-own"] == "theirs"


def test_requests_beyond_the_limit_are_told_when_to_come_again(envoy: RunningEnvoy) -> None:
    answers = [ask(envoy, "/limited", {"x-user-id": str(number)}) for number in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["code"] == "rate-limited"
    assert 0 < int(answers[-1].headers["retry-after"]) <= HOUR
    assert "retry-after" not in answers[0].headers


def test_once_its_time_is_over_a_limit_begins_anew(tmp_path: Path, stable: ModelServer) -> None:
    endpoint = replace(make_endpoint("brief"), rate_limits=(RateLimit(1, 2),))
    table = make_table(endpoint, backends=(make_backend("stable", stable.address),))
    with run_envoy(tmp_path, table) as envoy:

        def refused() -> httpx.Response | None:
            answer = ask(envoy, "/chat")
            return answer if answer.status_code == 429 else None

        assert 0 < int(wait_until(refused).headers["retry-after"]) <= 2
        wait_until(lambda: ask(envoy, "/chat").status_code == 200)


def test_a_limit_may_count_each_user_apart(envoy: RunningEnvoy) -> None:
    def statuses(user: str) -> list[int]:
        return [ask(envoy, "/by-unit", {"x-user-id": user}).status_code for _ in range(3)]

    assert statuses("alice") == [200, 200, 429]
    assert statuses("bob") == [200, 200, 429]
    assert ask(envoy, "/open", {"x-user-id": "alice"}).status_code == 200


def test_a_limit_may_count_each_client_apart(envoy: RunningEnvoy) -> None:
    def statuses(client: str) -> list[int]:
        return [ask(envoy, "/by-client", bearer(KEYS[client])).status_code for _ in range(3)]

    assert statuses("mobile") == [200, 200, 429]
    assert statuses("batch") == [200, 200, 429]
    assert ask(envoy, "/by-client", bearer("wrong")).status_code == 401
