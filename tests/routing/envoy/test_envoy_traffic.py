"""Who of an endpoint's users gets what: audiences, tiers, parameters, units without a name, answers that explain."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from routing.allocation.assign import assign
from routing.envoy import EXPLAIN_HEADER, FORCED_VARIANT_HEADER
from routing.table import Arm, Endpoint, Parameters, Tier, Unit, UnitSource, parse_condition
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server

pytestmark = pytest.mark.slow

GERMAN = (parse_condition("x-country is DE, AT"),)
PAYING = (parse_condition("x-plan is not free"), parse_condition("x-plan is present"))
TARGETED = make_endpoint(
    "targeted",
    replace(make_experiment("german", Arm("new", "candidate", 0, 4_000)), audience=GERMAN),
    replace(make_experiment("paying", Arm("new", "candidate", 4_000, 8_000)), audience=PAYING),
    make_experiment("everyone", Arm("new", "candidate", 8_000, 10_000)),
    path_prefix="/targeted",
)
TIERED = replace(
    make_endpoint("tiered", make_experiment("upgrade", Arm("new", "candidate", 0, 10_000)), path_prefix="/tiered"),
    tiers=(
        Tier("short", "small", longest_bytes=100),
        Tier("batch", "small", conditions=(parse_condition("x-priority is low"),)),
    ),
)
COLDER = Parameters(headers=(("x-prompt", "v2 100%"),), query=(("temperature", "0.2"), ("style", "%dry%")))
TUNED = make_endpoint(
    "tuned",
    make_experiment(
        "temperature", Arm("control", "stable", 0, 5_000), Arm("colder", "stable", 5_000, 10_000, parameters=COLDER)
    ),
    path_prefix="/tuned",
)
HELD = replace(make_endpoint("held", path_prefix="/held"), holdout=10_000 - 1)
ANONYMOUS = replace(
    make_endpoint(
        "anonymous",
        make_experiment("signup", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000)),
        path_prefix="/anonymous",
    ),
    unit=Unit(UnitSource.HEADER, "x-user-id", anonymous=True),
)
VISITOR = replace(make_endpoint("visitor", path_prefix="/visitor"), unit=Unit(UnitSource.COOKIE, "visitor"))


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ModelServer]]:
    with (
        run_model_server("stable") as stable,
        run_model_server("candidate") as candidate,
        run_model_server("small") as small,
    ):
        yield {"stable": stable, "candidate": candidate, "small": small}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, ModelServer]) -> Iterator[RunningEnvoy]:
    backends = tuple(make_backend(name, server.address) for name, server in servers.items())
    endpoints = (TARGETED, TIERED, TUNED, HELD, ANONYMOUS, VISITOR)
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(*endpoints, backends=backends)) as running:
        yield running


def ask(envoy: RunningEnvoy, path: str, **request: Any) -> tuple[httpx.Response, dict[str, Any]]:
    """A request's answer, and what the access log says about it."""
    response = httpx.post(f"{envoy.url}{path}", **{"json": {}, **request})
    return response, envoy.logged(response.headers["x-request-id"])


def units_in(endpoint: Endpoint, experiment: str, headers: dict[str, str]) -> list[str]:
    names = (f"user-{number}" for number in range(60))
    return [name for name in names if assign(endpoint, name, headers).experiment == experiment]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-country": "DE"},
        {"x-country": "FR"},
        {"x-plan": "free"},
        {"x-plan": "team"},
        {"x-country": "AT", "x-plan": "team"},
        {"x-country": "AT", "x-plan": "free"},
    ],
)
def test_an_experiment_takes_its_audience_alone(envoy: RunningEnvoy, headers: dict[str, str]) -> None:
    for number in range(20):
        unit = f"user-{number}"
        assigned = assign(TARGETED, unit, headers)

        response, line = ask(envoy, "/targeted", headers={**headers, "x-user-id": unit})

        assert response.json()["server"] == assigned.backend
        assert (line["facts"].get("experiment"), line["facts"].get("variant")) == (
            assigned.experiment,
            assigned.variant,
        )


def test_every_audience_is_reached() -> None:
    assert units_in(TARGETED, "german", {"x-country": "DE"})
    assert not units_in(TARGETED, "german", {"x-country": "FR"})
    assert units_in(TARGETED, "paying", {"x-plan": "team"})
    assert not units_in(TARGETED, "paying", {})
    assert units_in(TARGETED, "everyone", {})


@pytest.mark.parametrize(
    ("request_", "tier", "server"),
    [
        ({"json": {"prompt": "hi"}}, "short", "small"),
        ({"json": {"prompt": "x" * 200}}, None, "candidate"),
        ({"json": {"prompt": "x" * 200}, "headers": {"x-priority": "low"}}, "batch", "small"),
    ],
)
def test_easy_requests_go_to_the_small_model(
    envoy: RunningEnvoy, request_: dict[str, Any], tier: str | None, server: str
) -> None:
    headers = {"x-user-id": "alice", **request_.get("headers", {})}

    response, line = ask(envoy, "/tiered", **{**request_, "headers": headers})

    assert (response.json()["server"], line["facts"].get("tier")) == (server, tier)
    assert ("experiment" in line["facts"]) == (tier is None)
    assigned = assign(TIERED, "alice", headers, int(response.request.headers["content-length"]))
    assert (assigned.tier, assigned.backend) == (tier, server)


def test_a_body_of_unknown_length_is_not_short(envoy: RunningEnvoy) -> None:
    _, line = ask(envoy, "/tiered", json=None, content=iter([b"{}"]), headers={"x-user-id": "alice"})

    assert "tier" not in line["facts"]


def test_a_variant_may_differ_in_headers_and_query_alone(envoy: RunningEnvoy, servers: dict[str, ModelServer]) -> None:
    for number in range(8):
        unit = f"user-{number}"

        ask(envoy, "/tuned/x?temperature=1&top=2", headers={"x-user-id": unit, "x-prompt": "own"})

        colder = assign(TUNED, unit).variant == "colder"
        assert servers["stable"].seen[-1]["x-prompt"] == ("v2 100%" if colder else "own")
        assert ("temperature=0.2" in servers["stable"].paths[-1]) == colder


def test_who_asks_for_a_variant_gets_its_parameters(envoy: RunningEnvoy, servers: dict[str, ModelServer]) -> None:
    ask(envoy, "/tuned", headers={FORCED_VARIANT_HEADER: "temperature/colder"})

    assert servers["stable"].seen[-1]["x-prompt"] == "v2 100%"
    assert parse_qs(urlsplit(servers["stable"].paths[-1]).query) == {"temperature": ["0.2"], "style": ["%dry%"]}


def test_who_is_held_out_is_logged_as_such(envoy: RunningEnvoy) -> None:
    _, line = ask(envoy, "/held", headers={"x-user-id": "alice"})

    assert assign(HELD, "alice").held_out
    assert (line["facts"]["held_out"], line["facts"]["backend"]) == (True, "stable")


def test_who_has_no_unit_gets_one_and_keeps_it(envoy: RunningEnvoy) -> None:
    with httpx.Client(base_url=envoy.url) as client:
        first = client.post("/anonymous", json={})
        second = client.post("/anonymous", json={})

    unit = first.cookies["sluice-unit"]
    assert str(uuid.UUID(unit)) == unit
    assert "HttpOnly; SameSite=Lax" in first.headers["set-cookie"]
    assert "set-cookie" not in second.headers
    lines = [envoy.logged(response.headers["x-request-id"]) for response in (first, second)]
    assert [line["unit"] for line in lines] == [unit, unit]
    assert [line["facts"]["variant"] for line in lines] == [assign(ANONYMOUS, unit).variant] * 2


def test_whoever_has_no_unit_gets_the_arm_of_the_one_given(envoy: RunningEnvoy) -> None:
    lines = [ask(envoy, "/anonymous")[1] for _ in range(30)]

    assert [line["facts"]["variant"] for line in lines] == [assign(ANONYMOUS, line["unit"]).variant for line in lines]
    assert {line["facts"]["variant"] for line in lines} == {"control", "new"}


def test_a_cookie_that_no_edge_gave_is_nobodys_unit(envoy: RunningEnvoy) -> None:
    response, line = ask(envoy, "/anonymous", headers={"cookie": "sluice-unit=alice"})

    assert line["unit"] == response.cookies["sluice-unit"] != "alice"


def test_who_has_a_unit_gets_no_cookie(envoy: RunningEnvoy) -> None:
    response, line = ask(envoy, "/anonymous", headers={"x-user-id": "alice", "cookie": "sluice-unit=other"})

    assert "set-cookie" not in response.headers
    assert line["unit"] == "alice"


def test_the_unit_of_a_cookie(envoy: RunningEnvoy) -> None:
    _, line = ask(envoy, "/visitor", headers={"cookie": "a=b; visitor=v-17; c=d"})

    assert line["unit"] == "v-17"


def test_an_answer_explains_itself_when_asked(envoy: RunningEnvoy) -> None:
    unit = units_in(TUNED, "temperature", {})[0]

    explained, _ = ask(envoy, "/tuned", headers={"x-user-id": unit, EXPLAIN_HEADER: "true"})
    silent, _ = ask(envoy, "/tuned", headers={"x-user-id": unit})
    unmeasured, _ = ask(envoy, "/visitor", headers={EXPLAIN_HEADER: "true"})

    assert explained.headers["x-sluice-experiment"] == "temperature"
    assert explained.headers["x-sluice-variant"] == assign(TUNED, unit).variant
    assert explained.headers["x-sluice-backend"] == "stable"
    assert not [name for name in silent.headers if name.startswith("x-sluice")]
    assert "x-sluice-variant" not in unmeasured.headers


def test_what_steers_the_edge_stays_there(envoy: RunningEnvoy, servers: dict[str, ModelServer]) -> None:
    ask(envoy, "/visitor", headers={FORCED_VARIANT_HEADER: "x", "x-sluice-shadow": "x"})

    assert not [name for name in servers["stable"].seen[-1] if name.startswith("x-sluice")]
