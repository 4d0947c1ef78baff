"""What the edge says when it answers by itself: plain sentences, true limits, and nothing of what is behind it."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from routing.envoy import EXPLAIN_HEADER
from routing.table import Access, AccessKey, Arm, Issuer, Limits, RateLimit, RateLimitScope, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.factories.tokens import Signer
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import run_model_server
from tests.servers.processes import free_port

pytestmark = pytest.mark.slow

SIGNER, STRANGER = Signer(), Signer()
ISSUER = Issuer("idp", "https://login.example.com", ("chat",), SIGNER.key_set())
CLAIMS = {"iss": ISSUER.issuer, "aud": "chat", "sub": "alice", "exp": 4_000_000_000}
KEY, OTHER_KEY = "sk-mobile-1", "sk-batch-1"

# Envoy's own words, and names that only the edge's own configuration has.
INTERNAL = re.compile(
    r"envoy|upstream|local_rate|overflow|reset reason|cluster|sluice\.|secret-model|jwt|lua|payload", re.IGNORECASE
)


def keys(key: str) -> tuple[AccessKey, ...]:
    return (AccessKey("mobile", sha256(key.encode()).hexdigest()),)


def endpoint(key: str, **options: Any) -> Any:
    return replace(make_endpoint(key, path_prefix=f"/{key}", backend="secret-model"), **options)


ENDPOINTS = (
    endpoint("open", experiments=(make_experiment("e", Arm("new", "secret-model", 0, 10_000)),)),
    endpoint("keyed", access=Access(keys(KEY))),
    endpoint("other", access=Access(keys(OTHER_KEY))),
    endpoint("signed", access=Access(issuer="idp"), unit=Unit(UnitSource.CLAIM, "sub")),
    endpoint("either", access=Access(keys(KEY), issuer="idp")),
    endpoint("small", limits=Limits(body_bytes=2_000)),
    endpoint("even", limits=Limits(body_bytes=4 << 20)),
    endpoint("read", unit=Unit(UnitSource.BODY, "user")),
    endpoint("small-model", models=("gpt",), limits=Limits(body_bytes=1)),
    endpoint("modelled", models=("gpt",)),
    endpoint("guarded-model", models=("gpt",), access=Access(keys(KEY))),
    endpoint("limited", rate_limits=(RateLimit(1, 3_600, RateLimitScope.UNIT),)),
    endpoint("dead", backend="secret-model-dead"),
    endpoint("busy", backend="secret-model-busy"),
    endpoint("slow", limits=Limits(first_byte_seconds=0.2)),
)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    with run_model_server("stable") as server:
        backends = (
            make_backend("secret-model", server.address),
            make_backend("secret-model-dead", f"http://127.0.0.1:{free_port()}"),
            replace(make_backend("secret-model-busy", server.address), concurrency=1),
        )
        table = replace(make_table(*ENDPOINTS, backends=backends), issuers=(ISSUER,))
        with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
            yield running


def ask(envoy: RunningEnvoy, path: str, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
    return httpx.post(f"{envoy.url}{path}", **{"json": {}, **request}, headers=headers)


def bearer(credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"}


EXPIRED = {**CLAIMS, "exp": 1_000_000_000}
EARLY = {**CLAIMS, "nbf": 3_999_999_999}
ENDLESS = {name: value for name, value in CLAIMS.items() if name != "exp"}


@pytest.mark.parametrize(
    ("path", "headers", "code", "sentence"),
    [
        ("/keyed", {}, "key-missing", "This endpoint asks for a key."),
        ("/signed", {}, "key-missing", "This endpoint asks for a token."),
        ("/either", {}, "key-missing", "This endpoint asks for a key or a token."),
        ("/keyed", {"authorization": "Basic c2st"}, "key-missing", "This endpoint asks for a key."),
        ("/keyed", bearer("sk-wrong"), "key-unknown", "This key is unknown, revoked or expired."),
        ("/keyed", {"x-api-key": "sk-wrong"}, "key-unknown", "This key is unknown, revoked or expired."),
        ("/keyed", {"api-key": "x" * 2_000}, "key-unknown", "This key is unknown, revoked or expired."),
        ("/keyed", bearer(SIGNER.token(CLAIMS)), "key-unknown", "This key is unknown, revoked or expired."),
        ("/either", bearer("sk-wrong"), "key-unknown", "This key is unknown, revoked or expired."),
        ("/either", bearer(SIGNER.token(EXPIRED)), "token-expired", "This token has expired."),
        ("/signed", bearer(SIGNER.token(EXPIRED)), "token-expired", "This token has expired."),
        ("/signed", bearer(SIGNER.token(EARLY)), "token-early", "This token is not valid yet."),
        ("/signed", bearer(SIGNER.token(ENDLESS)), "token-unknown", "This token was not issued for this endpoint"),
        ("/signed", bearer(STRANGER.token(CLAIMS)), "token-unknown", "This token was not issued for this endpoint"),
        ("/signed", bearer(SIGNER.token({**CLAIMS, "aud": "x"})), "token-unknown", "This token was not issued"),
        ("/signed", bearer(SIGNER.token({**CLAIMS, "iss": "x"})), "token-unknown", "This token was not issued"),
        ("/signed", bearer("no.token.here"), "token-unknown", "This token was not issued for this endpoint"),
        ("/signed", bearer("sk-wrong"), "token-unknown", "This token was not issued for this endpoint"),
        ("/guarded-model", bearer("sk-wrong"), "key-unknown", "This key is unknown, revoked or expired."),
    ],
)
def test_who_is_not_let_in_reads_why(
    envoy: RunningEnvoy, path: str, headers: dict[str, str], code: str, sentence: str
) -> None:
    answer = ask(envoy, path, headers, json={"model": "gpt"})

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.json()["detail"].startswith(sentence)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_nobody_learns_which_keys_there_are(envoy: RunningEnvoy) -> None:
    def told(key: str) -> dict[str, Any]:
        answer: dict[str, Any] = ask(envoy, "/keyed", bearer(key)).json()
        return {**answer, "request_id": None}

    assert told(OTHER_KEY) == told("sk-never-was") == told(sha256(KEY.encode()).hexdigest())


@pytest.mark.parametrize(
    ("path", "size", "limit"),
    [
        ("/small", 2_001, "2 000 bytes"),
        ("/even", (4 << 20) + 1, "4 MiB"),
        ("/read", (32 << 20) + 1, "32 MiB"),
        ("/small-model", 2, "1 byte"),
        ("/modelled", (32 << 20) + 1, "32 MiB"),
    ],
)
def test_who_sends_too_much_reads_the_true_limit(envoy: RunningEnvoy, path: str, size: int, limit: str) -> None:
    answer = ask(envoy, path, {"content-type": "application/json"}, json=None, content=b"y" * size)

    assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
    assert answer.json()["detail"] == f"This endpoint takes requests of at most {limit}."


@pytest.mark.parametrize(
    "model", ["gpt-9", 'a"b\\c', "<script>alert(1)</script>", "Jürgen's 模型", "a\nb\x00c", "x" * 100]
)
def test_a_model_that_nobody_serves_is_named(envoy: RunningEnvoy, model: str) -> None:
    answer = ask(envoy, "/modelled/v1/chat/completions", json={"model": model})

    assert (answer.status_code, answer.json()["code"]) == (404, "model-unknown")
    assert answer.json()["detail"] == f'No endpoint on this path serves the model "{model}".'
    assert model in answer.json()["error"]["message"]


def test_a_model_with_a_long_name_is_not_said_again(envoy: RunningEnvoy) -> None:
    answer = ask(envoy, "/modelled", json={"model": "模" * 1_000})

    assert (answer.status_code, answer.json()["code"]) == (404, "model-unknown")
    assert len(answer.content) < 1_000
    assert "more than 100 characters" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"model": None}, {"model": ""}, {"models": ["gpt"]}])
def test_who_names_no_model_reads_that(envoy: RunningEnvoy, body: dict[str, Any]) -> None:
    answer = ask(envoy, "/modelled/v1/chat/completions", json=body)

    assert (answer.status_code, answer.json()["code"]) == (404, "no-endpoint")
    assert answer.json()["detail"].endswith("this request names none.")


def test_who_asks_too_often_reads_when_to_come_again(envoy: RunningEnvoy) -> None:
    ask(envoy, "/limited", {"x-user-id": "often"})

    answer = ask(envoy, "/limited", {"x-user-id": "often"})

    assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
    assert answer.json()["detail"] == "The rate limit of this endpoint is used up."
    assert 0 < int(answer.headers["retry-after"]) <= 3_600


def busy(envoy: RunningEnvoy) -> httpx.Response:
    """What one of those who are too many for the backend is answered."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask(envoy, "/busy", json={"wait": 1}), range(8)))
    return next(answer for answer in answers if answer.is_error)


def test_a_busy_backend_and_one_that_is_not_there_are_told_apart(envoy: RunningEnvoy) -> None:
    crowded, dead = busy(envoy), ask(envoy, "/dead")

    assert [answer.status_code for answer in (crowded, dead)] == [503, 503]
    assert crowded.json()["detail"] == "The backend has as many requests under way as it takes at once."
    assert dead.json()["detail"].startswith("The backend cannot be reached")
    assert (crowded.headers["retry-after"], dead.headers["retry-after"]) == ("1", "2")


def refusals(envoy: RunningEnvoy) -> list[httpx.Response]:
    """All the ways in which nobody gets past the edge, each asked with and without a wish for an explanation."""
    ask(envoy, "/limited", {"x-user-id": "refused"})
    answers = []
    for wish in ({}, {EXPLAIN_HEADER: "true"}):
        answers += [ask(envoy, path, wish) for path in ("/keyed", "/signed", "/guarded-model", "/modelled", "/nowhere")]
        answers.append(ask(envoy, "/keyed", {**wish, **bearer("sk-wrong")}))
        answers.append(ask(envoy, "/small", wish, json={"prompt": "y" * 3_000}))
        answers.append(ask(envoy, "/limited", {**wish, "x-user-id": "refused"}))
        announced = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
        answers.append(httpx.options(f"{envoy.url}/keyed", headers={**wish, **announced}))
    return answers


def test_who_was_not_let_in_gets_no_explanation(envoy: RunningEnvoy) -> None:
    answers = refusals(envoy)

    assert {answer.status_code for answer in answers} >= {401, 404, 413, 429}
    assert not [name for answer in answers for name in answer.headers if name.startswith("x-sluice-")]


@pytest.mark.parametrize(("path", "status"), [("/open", 200), ("/dead", 503), ("/slow", 504)])
def test_who_was_let_in_gets_one_also_of_a_backend_that_fails(envoy: RunningEnvoy, path: str, status: int) -> None:
    answer = ask(envoy, path, {EXPLAIN_HEADER: "true", "x-user-id": "alice"}, json={"wait": 1 if status == 504 else 0})

    assert answer.status_code == status
    backend = "secret-model-dead" if path == "/dead" else "secret-model"
    variant = "new" if path == "/open" else None
    assert (answer.headers.get("x-sluice-backend"), answer.headers.get("x-sluice-variant")) == (backend, variant)


def test_nothing_of_what_is_behind_the_edge_is_told(envoy: RunningEnvoy) -> None:
    failing = [
        ask(envoy, "/dead"),
        ask(envoy, "/slow", json={"wait": 1}),
        busy(envoy),
        httpx.request("TRACE", envoy.url),
    ]
    answers = [answer for answer in (*refusals(envoy), *failing) if "problem" in answer.headers["content-type"]]

    told = [f"{answer.headers} {answer.text}" for answer in answers]
    assert len(told) > 15
    assert [INTERNAL.findall(text) for text in told] == [[] for _ in told]
    assert not [answer for answer in answers if "server" in answer.headers]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400, "bad-request"),
        (b"GET /open HTTP/1.0\r\n\r\n", 426, "http-too-old"),
        (b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n", 404, "no-endpoint"),
        (b"TRACE /open HTTP/1.1\r\nhost: edge\r\n\r\n", 405, "method-refused"),
        (b"GET /open HTTP/1.1\r\nhost: edge\r\nconnection: upgrade\r\nupgrade: irc\r\n\r\n", 403, "upgrade-refused"),
        (b"POST /open HTTP/1.1\r\nhost: edge\r\ntransfer-encoding: gzip\r\n\r\n", 501, "transfer-unknown"),
        (b"GET /open HTTP/1.1\r\nhost: edge\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 431, "headers-too-large"),
    ],
)
def test_what_is_no_request_for_an_endpoint_gets_a_problem_too(
    envoy: RunningEnvoy, request_: bytes, status: int, code: str
) -> None:
    head, _, body = converse(envoy.port, request_).partition("\r\n\r\n")

    assert head.split()[1] == str(status)
    assert "content-type: application/problem+json" in head
    answer = httpx.Response(status, text=body).json()
    assert (answer["status"], answer["code"], answer["error"]["code"]) == (status, code, code)
    assert not INTERNAL.search(head + body)


def converse(port: int, request: bytes) -> str:
    """What some bytes are answered, to the end of the problem."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while not answer.endswith(b"}\n") and (part := connection.recv(65_536)):
            answer += part
    return answer.decode()
