"""What users get while no experiment takes them: the endpoint's own, or what a rule says for an audience."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from routing.allocation.assign import assign
from routing.envoy import EXPLAIN_HEADER, FORCED_VARIANT_HEADER
from routing.guard import Cut, without
from routing.table import (
    Arm,
    Endpoint,
    Parameters,
    Rule,
    RunningExperiment,
    Shadow,
    Tier,
    Unit,
    UnitSource,
    parse_condition,
)
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

OWN = Parameters(headers=(("x-prompt", "v2 100%"),), query=(("temperature", "0.2"),))
COLD = Parameters(headers=(("x-prompt", "cold"),))
GERMAN = Parameters(headers=(("x-prompt", "german"), ("x-style", "formal")), query=(("top", "5"),))


def later(endpoint: str) -> RunningExperiment:
    """An experiment for everybody, started after these defaults were set."""
    arms = Arm("control", "stable", 0, 2_000, OWN), Arm("cold", "candidate", 2_000, 4_000, COLD)
    return make_experiment(f"{endpoint}-later", *arms)


def ruled(key: str) -> Endpoint:
    """An endpoint with rules, on which an experiment for everybody runs and one for an audience."""
    paying = make_experiment(f"{key}-paying", Arm("new", "small", 4_000, 6_000))
    return replace(
        make_endpoint(
            key, later(key), replace(paying, audience=(parse_condition("x-plan is team"),)), path_prefix=f"/{key}"
        ),
        parameters=OWN,
        holdout=3_000,
        rules=(
            Rule("german", "candidate", (parse_condition("x-country is DE, AT"),), GERMAN),
            Rule("beta", "large", (parse_condition("x-beta is present"),)),
        ),
    )


SET = replace(
    make_endpoint("set", later("set"), path_prefix="/set"),
    parameters=OWN,
    tiers=(Tier("batch", "small", conditions=(parse_condition("x-priority is low"),)),),
    shadows=(Shadow("watcher", 0, "new", "small", 10_000),),
)
RULED = ruled("ruled")
BY_MODEL = replace(ruled("by-model"), models=("chat",), unit=Unit(UnitSource.BODY, "user"))
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"x-country": "DE"},
    {"x-country": "FR"},
    {"x-beta": "1"},
    {"x-country": "AT", "x-beta": "1"},
    {"x-plan": "team"},
    {"x-country": "DE", "x-plan": "team"},
)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ModelServer]]:
    with (
        run_model_server("stable") as stable,
        run_model_server("candidate") as candidate,
        run_model_server("small") as small,
        run_model_server("large") as large,
    ):
        yield {"stable": stable, "candidate": candidate, "small": small, "large": large}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, ModelServer]) -> Iterator[RunningEnvoy]:
    backends = tuple(make_backend(name, server.address) for name, server in servers.items())
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(SET, RULED, BY_MODEL, backends=backends)) as running:
        yield running


def ask(envoy: RunningEnvoy, path: str, **request: Any) -> tuple[httpx.Response, dict[str, Any]]:
    """A request's answer, and what the access log says of it."""
    response = httpx.post(f"{envoy.url}{path}", **{"json": {}, **request})
    return response, envoy.logged(response.headers["x-request-id"])["facts"]


def got(server: ModelServer) -> Parameters:
    """What of its last request may have been set."""
    names = ("x-prompt", "x-style")
    query = parse_qs(urlsplit(server.paths[-1]).query)
    headers = {name: server.seen[-1][name] for name in names if name in server.seen[-1]}
    return Parameters(tuple(headers.items()), tuple((name, values[0]) for name, values in query.items()))


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("path", ["/ruled", "/by-model"])
def test_everybody_gets_what_is_said_for_them(
    envoy: RunningEnvoy, servers: dict[str, ModelServer], path: str, headers: dict[str, str]
) -> None:
    for unit in (None, *(f"user-{number}" for number in range(12))):
        expected = assign(RULED, unit, headers)
        sent = {**headers, **({"x-user-id": unit} if unit else {}), EXPLAIN_HEADER: "true"}

        answer, facts = ask(envoy, path, headers=sent, json={"model": "chat", **({"user": unit} if unit else {})})

        assert answer.json()["server"] == expected.backend
        assert got(servers[expected.backend]) == expected.parameters
        assert (facts["backend"], facts.get("rule"), facts.get("variant"), facts.get("held_out", False)) == (
            expected.backend,
            expected.rule,
            expected.variant,
            expected.held_out,
        )
        told = {name: answer.headers.get(f"x-sluice-{name}") for name in ("rule", "headers", "query", "variant")}
        assert told == {
            "rule": expected.rule,
            "headers": ", ".join(name for name, _ in expected.parameters.headers) or None,
            "query": ", ".join(name for name, _ in expected.parameters.query) or None,
            "variant": expected.variant,
        }


def test_every_part_of_the_rules_is_tried_above() -> None:
    """Rules, the endpoint's own, experiments before both, and who is held out under each."""
    units = [f"user-{number}" for number in range(12)]
    assigned = [assign(RULED, unit, headers) for headers in HEADERS for unit in units]

    assert {(found.rule, found.variant) for found in assigned} == {
        (None, None),
        ("german", None),
        ("beta", None),
        (None, "control"),
        (None, "cold"),
        (None, "new"),
    }
    assert {found.rule for found in assigned if found.held_out} == {None, "german", "beta"}
    assert assign(RULED, None, {"x-country": "DE", "x-beta": "1"}).rule == "german"


def test_what_a_client_sent_itself_is_replaced(envoy: RunningEnvoy, servers: dict[str, ModelServer]) -> None:
    ask(envoy, "/set?temperature=1&top=2", headers={"x-prompt": "mine"})

    assert got(servers["stable"]) == Parameters((("x-prompt", "v2 100%"),), (("temperature", "0.2"), ("top", "2")))


def test_a_tier_gets_nothing_of_it(envoy: RunningEnvoy, servers: dict[str, ModelServer]) -> None:
    _, facts = ask(envoy, "/set", headers={"x-user-id": "alice", "x-priority": "low"})

    assert (facts["tier"], facts["backend"]) == ("batch", "small")
    assert got(servers["small"]) == Parameters()


def test_a_shadow_gets_what_its_original_got(envoy: RunningEnvoy, servers: dict[str, ModelServer]) -> None:
    before = len(servers["small"].seen)

    ask(envoy, "/set", headers={"x-user-id": "alice"})

    wait_until(lambda: len(servers["small"].seen) > before)
    assert got(servers["small"]) == assign(SET, "alice").parameters


@pytest.mark.parametrize(
    ("variant", "server", "parameters"),
    [
        ("ruled-later/cold", "candidate", COLD),
        ("ruled-later/control", "stable", OWN),
        ("gone/new", "stable", OWN),
    ],
)
def test_who_asks_for_a_variant_gets_what_it_is(
    envoy: RunningEnvoy, servers: dict[str, ModelServer], variant: str, server: str, parameters: Parameters
) -> None:
    answer, facts = ask(
        envoy, "/ruled", headers={FORCED_VARIANT_HEADER: variant, "x-country": "DE", EXPLAIN_HEADER: "true"}
    )

    assert (answer.json()["server"], facts["forced"]) == (server, True)
    assert got(servers[server]) == parameters
    assert answer.headers["x-sluice-headers"] == "x-prompt"


def test_whose_arm_an_edge_took_out_gets_what_is_said_for_them() -> None:
    units = [f"user-{number}" for number in range(100)]
    german = {"x-country": "DE"}
    cold = [unit for unit in units if assign(RULED, unit, german).variant == "cold"]
    table = make_table(RULED, backends=tuple(map(make_backend, ("stable", "candidate", "small", "large"))))

    [cut] = without(table, (Cut("ruled-later", "cold", 0, "2026-01-01T00:00:00Z", 20, 20, 20, 0),)).endpoints

    assert cold
    assert {assign(cut, unit, german).rule for unit in cold} == {"german"}
    assert {assign(cut, unit, {}).parameters for unit in cold} == {OWN}
