"""What Envoy would refuse is refused before an edge is given it."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import InvalidInput
from routing.models import Endpoint, RoutingTable
from routing.publishing.envoy_validation import _ask, refusal
from routing.resources.edit import edit
from routing.resources.register import register
from routing.table import (
    Arm,
    Credential,
    Limits,
    Parameters,
    RunningExperiment,
    Shadow,
    Table,
    Tier,
    Unit,
    UnitSource,
    from_json,
    parse_condition,
    problems,
)
from tests.factories.drafts import endpoint
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.waiting import PATIENCE_SECONDS

STAGES = ((0, 500), (1, 5_000))
TOO_LONG = "x-account is " + ", ".join(sha256(bytes([number])).hexdigest() for number in range(256)) * 2


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Envoy that answers late is no Envoy that takes everything."""
    monkeypatch.setattr("routing.publishing.envoy_validation.ANSWER_SECONDS", PATIENCE_SECONDS)


def test_a_table_with_everything_is_taken() -> None:
    countries = parse_condition("x-country is " + ", ".join(f"{number:02}" for number in range(100)))
    colder = Parameters((("x-prompt", "100 %"),), (("temperature", "0.2"),))
    experiment = make_experiment("e", Arm("control", "stable", 0, 10), Arm("new", "candidate", 10, 20, colder))
    everything = replace(
        make_endpoint("chat", replace(experiment, audience=(countries,))),
        hosts=("*.example.com",),
        methods=("GET", "POST"),
        conditions=(parse_condition("x-a is not b"), parse_condition("x-c contains d")),
        models=("gpt 5".replace(" ", "-"), "a/b:c"),
        unit=Unit(UnitSource.BODY, "metadata.user", anonymous=True),
        rewrite="/v1",
        limits=Limits(1.5, 2.5, 3, 4_000),
        tiers=(Tier("short", "stable", (parse_condition("x-a starts with b"),), 200),),
        shadows=(Shadow("s", 0, "new", "candidate", 100),),
        holdout=500,
    )
    backends = (
        make_backend("stable", "https://models.example.com"),
        replace(make_backend("candidate"), fallback="stable", concurrency=5, credential=Credential("key")),
    )
    table = make_table(everything, backends=backends)

    assert problems(table) == ()
    assert refusal(table) == ""


def test_the_reason_is_envoys_own() -> None:
    table = make_table(replace(make_endpoint(), conditions=(parse_condition(TOO_LONG),)))

    assert problems(table) == ()
    assert "max program size" in refusal(table)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Table]:
    """What the real Envoy is asked about from now on."""
    tables: list[Table] = []

    def ask(table: Table) -> str:
        tables.append(table)
        return _ask(table)

    monkeypatch.setattr("routing.publishing.envoy_validation._ask", ask)
    return tables


def ramp(stage: int, coverage: int) -> RunningExperiment:
    arms = Arm("control", "stable", 0, 10), Arm("new", "candidate", 10, 20)
    return make_experiment("ramp", *arms, stage=stage, coverage=coverage)


def test_a_stage_more_is_nothing_new_to_envoy(asked: list[Table]) -> None:
    path = "/asked-once"
    first, second = (make_endpoint("chat", ramp(stage, coverage), path_prefix=path) for stage, coverage in STAGES)

    answers = [refusal(make_table(endpoint, version=version)) for version, endpoint in ((1, first), (2, second))]

    assert answers == ["", ""]
    assert len(asked) == 1


def test_only_the_endpoints_that_are_new_are_asked_about(asked: list[Table]) -> None:
    old, new, changed = (make_endpoint(key, path_prefix=f"/some/{key}") for key in ("old", "new", "changed"))
    refusal(make_table(old, changed))

    refusal(make_table(old, new, replace(changed, rewrite="/v1")))

    assert {endpoint.key for endpoint in asked[-1].endpoints} == {"new", "changed"}


def test_endpoints_of_one_path_are_asked_about_together(asked: list[Table]) -> None:
    alone, beside = (replace(make_endpoint(key, path_prefix="/both"), models=(key,)) for key in ("alone", "beside"))
    refusal(make_table(alone))

    refusal(make_table(alone, beside))

    assert {endpoint.key for endpoint in asked[-1].endpoints} == {"alone", "beside"}


def test_other_backends_are_another_question(asked: list[Table]) -> None:
    endpoint = make_endpoint(path_prefix="/other-backends")
    refusal(make_table(endpoint))

    refusal(make_table(endpoint, backends=(make_backend("stable", "http://127.0.0.1:2"),)))

    assert len(asked) == 2


def test_what_was_refused_is_refused_again() -> None:
    table = make_table(replace(make_endpoint(path_prefix="/again"), conditions=(parse_condition(TOO_LONG),)))

    assert refusal(table) == refusal(table) != ""


NO_ENVOY = ("envoy_binary", lambda: Path("/nowhere/envoy"))
LATE_ENVOY = ("ANSWER_SECONDS", 0.0)


@pytest.mark.parametrize(("name", "value"), [NO_ENVOY, LATE_ENVOY])
def test_without_an_envoy_the_rules_of_sluice_have_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    table = make_table(replace(make_endpoint(path_prefix="/no-envoy"), conditions=(parse_condition(TOO_LONG),)))
    with monkeypatch.context() as without:
        without.setattr(f"routing.publishing.envoy_validation.{name}", value)

        assert refusal(table) == ""
    assert refusal(table) != ""


@pytest.mark.django_db
def test_what_envoy_would_refuse_is_neither_saved_nor_published() -> None:
    chat = endpoint()
    published = RoutingTable.objects.count()

    with pytest.raises(InvalidInput) as error:
        edit(chat, {"conditions": [TOO_LONG]}, actor=SLUICE)

    assert error.value.code == "table-refused-by-envoy"
    chat.refresh_from_db()
    assert (chat.conditions, RoutingTable.objects.count()) == ([], published)


@pytest.mark.django_db
def test_what_was_broken_before_keeps_nobody_from_changing_something_else() -> None:
    chat = endpoint()
    other = Endpoint(key="other", name="Other", path_prefix="/other", backend=chat.backend)
    register(other, actor=SLUICE)
    Endpoint.objects.filter(pk=chat.pk).update(conditions=[TOO_LONG])

    edit(other, {"rewrite": "/v1"}, actor=SLUICE)
    with pytest.raises(InvalidInput):
        edit(chat, {"rewrite": "/v1"}, actor=SLUICE)

    served = {each.key: each for each in from_json(RoutingTable.objects.order_by("-version")[0].content).endpoints}
    assert (served["other"].rewrite, served["chat"].rewrite, served["chat"].conditions) == ("/v1", None, ())
