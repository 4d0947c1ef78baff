"""A flag says what the edge would do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.allocation.assign import assign
from routing.ofrep.evaluation import evaluate, evaluate_all
from routing.table import Arm, Endpoint, Unit, UnitSource, parse_condition
from tests.factories.tables import make_endpoint, make_experiment, make_table
from tests.routing.allocation.test_assign_properties import endpoints

SPLIT = make_experiment(
    "canary", Arm("old", "stable", 0, 3_000), Arm("new", "candidate", 3_000, 6_000), stage=2, coverage=8_000
)
TARGETED = replace(
    make_experiment("german", Arm("control", "stable", 6_000, 7_000), Arm("de", "candidate", 7_000, 9_000)),
    audience=(parse_condition("x-country is DE"),),
)
CHAT = make_endpoint("chat", SPLIT, TARGETED)
TABLE = make_table(CHAT, version=9)


def assert_is_assignment(endpoint: Endpoint, unit: str, headers: dict[str, str]) -> None:
    table = make_table(endpoint)
    assigned = assign(endpoint, unit, headers)
    for experiment, found in zip(endpoint.experiments, evaluate_all(table, unit, headers), strict=True):
        taken_in = assigned.experiment == experiment.key
        assert found.variant == (assigned.variant if taken_in else None)
        assert found.value == (assigned.variant if taken_in else experiment.arms[0].variant)
        assert found.reason == ("SPLIT" if taken_in else "DEFAULT")
        assert found.metadata["backend"] == assigned.backend
        assert found == evaluate(table, experiment.key, unit, headers)


@given(st.text(min_size=1), st.sampled_from([{}, {"x-country": "DE"}, {"x-country": "FR"}]))
def test_a_flag_is_the_edges_assignment(unit: str, headers: dict[str, str]) -> None:
    assert_is_assignment(CHAT, unit, headers)


@given(endpoints(), st.lists(st.text(min_size=1), min_size=1, max_size=10))
def test_a_flag_is_the_edges_assignment_whatever_the_spans(endpoint: Endpoint, units: list[str]) -> None:
    for unit in units:
        assert_is_assignment(endpoint, unit, {})


@given(st.text(min_size=1))
def test_who_is_not_measured_has_an_empty_variant(unit: str) -> None:
    for found in evaluate_all(TABLE, unit, {}):
        assert found.content()["variant"] == (found.value if found.reason == "SPLIT" else "")


@pytest.mark.parametrize(
    ("wanted", "values", "backend"),
    [
        ("canary/new", {"canary": ("new", "TARGETING_MATCH"), "german": ("control", "DEFAULT")}, "candidate"),
        ("german/de", {"canary": ("old", "DEFAULT"), "german": ("de", "TARGETING_MATCH")}, "candidate"),
        ("gone/new", {"canary": ("old", "DEFAULT"), "german": ("control", "DEFAULT")}, "stable"),
    ],
)
def test_a_variant_that_is_asked_for_is_given_and_not_measured(
    wanted: str, values: dict[str, tuple[str, str]], backend: str
) -> None:
    for number in range(20):
        found = evaluate_all(TABLE, f"user-{number}", {"x-sluice-variant": wanted})

        assert {flag.key: (flag.value, flag.reason) for flag in found} == values
        assert {(flag.variant, flag.metadata["backend"]) for flag in found} == {(None, backend)}


@pytest.mark.parametrize(
    ("source", "expected"), [(UnitSource.HEADER, "SPLIT"), (UnitSource.BODY, "DEFAULT"), (UnitSource.COOKIE, "DEFAULT")]
)
def test_the_units_header_is_one_that_an_audience_may_name(source: UnitSource, expected: str) -> None:
    staff = replace(
        make_experiment("staff", Arm("control", "stable", 0, 10_000)),
        audience=(parse_condition("x-user-id starts with staff-"),),
    )
    table = make_table(make_endpoint("chat", staff, unit=Unit(source, "X-User-Id")))

    [found] = evaluate_all(table, "staff-7", {})

    assert found.reason == expected


def test_an_experiment_that_does_not_run_is_no_flag() -> None:
    assert evaluate(TABLE, "gone", "alice", {}) is None
