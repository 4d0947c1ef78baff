"""Who gets which backend."""

from dataclasses import replace

import pytest
import xxhash

from routing.allocation.assign import Assignment, assign, bucket
from routing.table import Arm, Parameters, Rule, parse_condition
from tests.factories.tables import make_endpoint, make_experiment

CONTROL = Arm("control", "stable", 0, 5_000)
CANDIDATE = Arm("candidate", "candidate", 5_000, 10_000)
ENDPOINT = make_endpoint("chat", make_experiment("new-model", CONTROL, CANDIDATE, stage=2, coverage=1_000))


def unit_in(place: int) -> str:
    return next(unit for number in range(1_000_000) if bucket("pepper", unit := f"user-{number}") == place)


def test_the_bucket_is_the_hash_of_salt_and_unit() -> None:
    assert bucket("pepper", "zoë") == xxhash.xxh64("pepper:zoë".encode()).intdigest() % 10_000


@pytest.mark.parametrize("unit", [None, ""])
def test_without_a_unit_the_endpoints_backend_answers_unmeasured(unit: str | None) -> None:
    assert assign(ENDPOINT, unit) == Assignment("stable", None, None, None, None)


@pytest.mark.parametrize(
    ("place", "backend", "variant"),
    [
        (0, "stable", "control"),
        (499, "stable", "control"),
        (500, "stable", None),
        (4_999, "stable", None),
        (5_000, "candidate", "candidate"),
        (5_499, "candidate", "candidate"),
        (5_500, "stable", None),
        (9_999, "stable", None),
    ],
)
def test_an_arm_uses_the_first_part_of_its_span(place: int, backend: str, variant: str | None) -> None:
    found = assign(ENDPOINT, unit_in(place))

    measured = variant is not None
    experiment, stage = ("new-model", 2) if measured else (None, None)
    assert found == Assignment(backend, experiment, variant, stage, place)


RULED = replace(
    ENDPOINT,
    parameters=Parameters((("x-prompt", "v1"),)),
    rules=(
        Rule("german", "candidate", (parse_condition("x-country is DE"),)),
        Rule("paying", "small", (parse_condition("x-plan is team"),), Parameters((), (("top", "5"),))),
    ),
)


@pytest.mark.parametrize("unit", [None, unit_in(9_999)])
@pytest.mark.parametrize(
    ("headers", "backend", "rule", "parameters"),
    [
        ({}, "stable", None, RULED.parameters),
        ({"x-country": "FR"}, "stable", None, RULED.parameters),
        ({"x-country": "DE"}, "candidate", "german", Parameters()),
        ({"x-plan": "team"}, "small", "paying", Parameters((), (("top", "5"),))),
        ({"x-country": "DE", "x-plan": "team"}, "candidate", "german", Parameters()),
    ],
)
def test_whom_no_experiment_takes_gets_what_the_first_rule_says(
    unit: str | None, headers: dict[str, str], backend: str, rule: str | None, parameters: Parameters
) -> None:
    found = assign(RULED, unit, headers)

    assert (found.backend, found.rule, found.parameters, found.experiment) == (backend, rule, parameters, None)


def test_an_experiment_takes_whom_a_rule_would_send_elsewhere() -> None:
    found = assign(RULED, unit_in(0), {"x-country": "DE"})

    assert (found.backend, found.variant, found.rule, found.parameters) == ("stable", "control", None, Parameters())


@pytest.mark.parametrize(
    ("own", "beneath", "both"),
    [
        (Parameters(), Parameters((("a", "1"),), (("b", "2"),)), Parameters((("a", "1"),), (("b", "2"),))),
        (Parameters((("A", "9"),)), Parameters((("a", "1"), ("c", "3"))), Parameters((("c", "3"), ("A", "9")))),
        (Parameters((), (("A", "9"),)), Parameters((), (("a", "1"),)), Parameters((), (("a", "1"), ("A", "9")))),
        (Parameters((), (("a", "9"),)), Parameters((), (("a", "1"),)), Parameters((), (("a", "9"),))),
    ],
)
def test_what_lies_on_top_wins_by_name(own: Parameters, beneath: Parameters, both: Parameters) -> None:
    """Names of headers are alike whatever their case (RFC 9110, 5.1); those of query parameters are not."""
    assert own.over(beneath) == both
