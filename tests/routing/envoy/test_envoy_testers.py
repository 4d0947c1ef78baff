"""Who may force a variant and be explained to, and what everybody else gets."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from routing import table
from routing.access_log.results import Result
from routing.envoy import EXPLAIN_HEADER, FORCED_VARIANT_HEADER, TEST_KEY_HEADER
from routing.table import WHOLE, Access, AccessKey, Arm, Endpoint, Shadow
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

KEY, LONG_KEY, OTHER_KEY, CLIENT_KEY = "slk_tester", "slk_" + "t" * 500, "slk_elsewhere", "slk_mobile"
HERE, THERE = "127.0.0.1", "127.0.0.2"
FORCED = {FORCED_VARIANT_HEADER: "canary/new", "x-user-id": "tester"}
EXPLAINED = {EXPLAIN_HEADER: "true", "x-user-id": "tester"}


def key(name: str, client: str = "quality") -> AccessKey:
    return AccessKey(client, sha256(name.encode()).hexdigest())


def endpoint(name: str, testers: table.Testers, experiment: str = "", **options: Any) -> Endpoint:
    arms = (Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
    found = make_endpoint(name, make_experiment(experiment or name, *arms), path_prefix=f"/{name}")
    return replace(found, testers=testers, **options)


ENDPOINTS = (
    endpoint("canary", table.Testers(keys=(key(KEY), key(LONG_KEY)), networks=(f"{THERE}/32", "fd00::/8"))),
    endpoint("nobody", table.Testers()),
    endpoint("elsewhere", table.Testers(keys=(key(OTHER_KEY),))),
    endpoint("modelled", table.Testers(keys=(key(KEY),)), path_prefix="/modelled", models=("gpt",)),
    endpoint("keyed", table.Testers(keys=(key(KEY),)), access=Access((key(CLIENT_KEY, "mobile"),))),
    replace(
        make_endpoint("shadowed", path_prefix="/shadowed"),
        shadows=(Shadow("copies", 0, "candidate", "candidate", WHOLE),),
        testers=table.Testers(keys=(key(KEY),)),
    ),
)


@pytest.fixture(scope="module")
def stable() -> Iterator[ModelServer]:
    with run_model_server("stable") as server:
        yield server


@pytest.fixture(scope="module")
def candidate() -> Iterator[ModelServer]:
    with run_model_server("candidate") as server:
        yield server


@pytest.fixture(scope="module")
def envoy(
    tmp_path_factory: pytest.TempPathFactory, stable: ModelServer, candidate: ModelServer
) -> Iterator[RunningEnvoy]:
    backends = (make_backend("stable", stable.address), make_backend("candidate", candidate.address))
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(*ENDPOINTS, backends=backends)) as running:
        yield running


def ask(
    envoy: RunningEnvoy, path: str, headers: dict[str, Any], *, address: str = HERE, method: str = "POST", **sent: Any
) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
        return client.request(method, f"{envoy.url}{path}", headers=headers, **{"json": {"model": "gpt"}, **sent})


def holding(name: str) -> dict[str, str]:
    return {TEST_KEY_HEADER: name}


@pytest.mark.parametrize("name", [KEY, LONG_KEY])
def test_who_has_a_key_for_tests_gets_the_variant_and_is_told(envoy: RunningEnvoy, name: str) -> None:
    answer = ask(envoy, "/canary", {**FORCED, **EXPLAINED, **holding(name)})

    assert (answer.status_code, answer.json()["server"]) == (200, "candidate")
    assert answer.headers["x-sluice-backend"] == "candidate"
    assert envoy.logged(answer.headers["x-request-id"])["facts"]["forced"] is True


def test_who_calls_from_a_network_of_testers_needs_no_key(envoy: RunningEnvoy) -> None:
    answer = ask(envoy, "/canary", {**FORCED, **EXPLAINED}, address=THERE)

    assert (answer.json()["server"], answer.headers["x-sluice-backend"]) == ("candidate", "candidate")
    assert ask(envoy, "/nobody", FORCED, address=THERE).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        FORCED,
        {**FORCED, FORCED_VARIANT_HEADER: "canary/gone"},
        {**FORCED, FORCED_VARIANT_HEADER: ""},
        {**FORCED, FORCED_VARIANT_HEADER: b"\xff"},
        {**FORCED, **EXPLAINED},
        {**FORCED, **holding("")},
        {**FORCED, **holding(OTHER_KEY)},
        {**FORCED, **holding(KEY + " ,")},
        {**FORCED, **holding(LONG_KEY * 2)},
        {**FORCED, **holding(sha256(KEY.encode()).hexdigest())},
        {**FORCED, "x-api-key": KEY, "authorization": f"Bearer {KEY}"},
        {**FORCED, "x-forwarded-for": THERE, "x-real-ip": THERE, "x-envoy-external-address": THERE},
    ],
)
def test_nobody_else_forces_a_variant(
    envoy: RunningEnvoy, stable: ModelServer, candidate: ModelServer, headers: dict[str, Any]
) -> None:
    seen = len(stable.seen) + len(candidate.seen)

    answer = ask(envoy, "/canary", headers)

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["error"]["code"]) == (403, *["variant-refused"] * 2)
    assert problem["detail"] == "This request may not choose its variant."
    assert "`x-sluice-key`" in problem["next_step"]
    assert len(stable.seen) + len(candidate.seen) == seen
    assert not [name for name in answer.headers if name.startswith("x-sluice")]
    row = envoy.row(answer.headers["x-request-id"])
    assert (row["result"], row["endpoint"], row["experiment"]) == (Result.REFUSED, "canary", None)


def test_a_key_counts_where_its_endpoint_names_it_and_nowhere_else(envoy: RunningEnvoy) -> None:
    assert ask(envoy, "/elsewhere", {**FORCED, **holding(KEY)}).status_code == 403
    assert ask(envoy, "/elsewhere", {**FORCED, **holding(OTHER_KEY)}).status_code == 200


@pytest.mark.parametrize(
    "headers", [EXPLAINED, {**EXPLAINED, **holding("wrong")}, {**EXPLAINED, EXPLAIN_HEADER: b"\xff"}]
)
@pytest.mark.parametrize("method", ["POST", "HEAD", "GET"])
def test_nobody_else_is_explained_to_and_all_are_answered(
    envoy: RunningEnvoy, headers: dict[str, Any], method: str
) -> None:
    answer = ask(envoy, "/canary", headers, method=method)

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-sluice")]
    line = envoy.logged(answer.headers["x-request-id"])
    assert line["facts"].get("experiment") == ("canary" if method != "HEAD" else None)


def test_testers_alone_are_explained_to(envoy: RunningEnvoy) -> None:
    answer = ask(envoy, "/canary", {**EXPLAINED, **holding(KEY)})

    assert answer.headers["x-sluice-experiment"] == "canary"
    assert envoy.logged(answer.headers["x-request-id"])["facts"]["experiment"] == "canary"


def test_where_the_model_decides_its_endpoint_says_who_may(envoy: RunningEnvoy) -> None:
    forced = {**FORCED, FORCED_VARIANT_HEADER: "modelled/new"}

    assert ask(envoy, "/modelled", forced).json()["code"] == "variant-refused"
    assert ask(envoy, "/modelled", {**forced, **holding(KEY)}).json()["server"] == "candidate"
    assert ask(envoy, "/modelled", forced, json={"model": "other"}).json()["code"] == "model-unknown"


def test_who_is_no_client_is_told_of_that_first(envoy: RunningEnvoy) -> None:
    both = {**FORCED, **holding(KEY), "x-api-key": CLIENT_KEY}

    assert ask(envoy, "/keyed", {**FORCED, **holding(KEY)}).json()["code"] == "key-missing"
    assert ask(envoy, "/keyed", {**FORCED, "x-api-key": CLIENT_KEY}).json()["code"] == "variant-refused"
    assert ask(envoy, "/keyed", both).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers", "form"),
    [
        ("/canary/v1/messages", {"anthropic-version": "2023-06-01"}, ("error", "type", "permission_error")),
        ("/canary/v1/chat/completions", {}, ("error", "code", "variant-refused")),
    ],
)
def test_the_refusal_has_the_form_of_the_protocol(
    envoy: RunningEnvoy, path: str, headers: dict[str, str], form: tuple[str, str, str]
) -> None:
    problem = ask(envoy, path, {**FORCED, **headers}).json()

    assert problem[form[0]][form[1]] == form[2]
    assert problem["error"]["message"] == f"{problem['detail']} {problem['next_step']}"


def test_a_refusal_of_grpc_is_one(envoy: RunningEnvoy) -> None:
    answer = ask(envoy, "/canary", {**FORCED, "content-type": "application/grpc"}, json=None, content=b"")

    assert (answer.headers["grpc-status"], answer.headers["content-type"]) == ("7", "application/grpc")
    assert answer.headers["grpc-message"].startswith("This request may not choose its variant.")


def test_no_backend_and_no_log_sees_a_key_for_tests(
    envoy: RunningEnvoy, stable: ModelServer, candidate: ModelServer
) -> None:
    seen = len(candidate.seen)
    sent = [("/canary", FORCED), ("/canary", {}), ("/nobody", FORCED), ("/keyed", FORCED), ("/nobody", EXPLAINED)]
    for path, headers in [*sent, ("/shadowed", EXPLAINED)]:
        envoy.logged(ask(envoy, path, {**headers, **holding(KEY)}).headers["x-request-id"])
    wait_until(lambda: len(candidate.seen) >= seen + 2)

    assert [headers for headers in (*stable.seen, *candidate.seen) if TEST_KEY_HEADER in headers] == []
    assert KEY not in envoy.directory.access_log.read_text()
