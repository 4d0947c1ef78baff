"""There are never more looks than the plan says, however information grows."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.decide import DecisionKind, Plan, decide, look_is_due
from experiments.stats.core.spending import Look
from experiments.stats.core.types import PastLooks, Results, Verdict
from tests.experiments.decide.situations import GOAL, GUARDRAIL, PLAN, START, results, state

TICKS = 10_000
GUARDRAILS = tuple(f"guardrail-{number}" for number in range(4))
MANY = replace(
    PLAN,
    metrics=(*(replace(PLAN.metrics[0], key=key) for key in GUARDRAILS), PLAN.metrics[1]),
    labels={**dict.fromkeys(GUARDRAILS, PLAN.labels["error-rate"]), **PLAN.labels},
    looks=20,
)


def measured(fractions: list[float]) -> Results:
    """Nothing is shown of any metric yet; each has this share of its information."""
    rows = (*(replace(GUARDRAIL, metric=key) for key in GUARDRAILS), GOAL)
    metrics = tuple(
        replace(row, verdict=Verdict.INSUFFICIENT, information=1000.0 * fraction, information_fraction=fraction)
        for row, fraction in zip(rows, fractions, strict=True)
    )
    return replace(results(), metrics=metrics)


def with_look(looks: PastLooks, found: Results) -> PastLooks:
    """The looks taken, with the present one, as it is stored."""
    taken = dict(looks.taken)
    for row in found.metrics:
        name = row.metric, row.variant
        taken[name] = (*taken.get(name, ()), Look(row.information or 0.0, row.information_fraction or 0.0))
    return PastLooks(taken)


def looks_of(plan: Plan, growth: list[list[float]]) -> tuple[int, bool, PastLooks]:
    """How many looks a rollout has, whether the last one ended it, and what is kept of them."""
    looks, number, ended = PastLooks(), 0, False
    begun = timedelta(seconds=700)
    for tick, fractions in enumerate(growth):
        now = START + begun + tick * (plan.maximum - begun) / (len(growth) - 1)
        found = measured(fractions)
        at = replace(state(stage=2), looks=looks)
        if look_is_due(plan, at, found, now):
            number += 1
            looks = with_look(looks, found)
        ended = decide(plan, at, found, now).kind is not DecisionKind.HOLD
        if ended:
            break
    return number, ended, looks


@given(
    st.lists(st.lists(st.floats(0.0, 1.2), min_size=5, max_size=5), min_size=2, max_size=120),
    st.booleans(),
    st.integers(1, 20),
)
@settings(max_examples=200, deadline=None)
def test_there_are_at_most_as_many_looks_as_planned(growth: list[list[float]], falls: bool, planned: int) -> None:
    """Each metric grows, or grows and falls, at a pace of its own; the rollout always ends."""
    if not falls:
        growth = [list(row) for row in zip(*(sorted(column) for column in zip(*growth, strict=True)), strict=True)]
    number, ended, _ = looks_of(replace(MANY, looks=planned), growth)
    assert number <= planned
    assert ended


def test_ten_thousand_ticks_keep_no_more_than_the_looks() -> None:
    """Metrics of very different pace, each of which takes a step at another tick."""
    paces = (1.0, 1.3, 1.9, 2.7, 0.4)
    growth = [[min(pace * tick / TICKS, 1.0) for pace in paces] for tick in range(TICKS)]
    number, ended, looks = looks_of(MANY, growth)
    assert 10 <= number <= 20
    assert ended
    assert max(len(taken) for taken in looks.taken.values()) == number


def test_metrics_that_grow_alike_have_a_look_at_each_step() -> None:
    growth = [[tick / 2000] * 5 for tick in range(2001)]
    assert looks_of(MANY, growth)[0] == 20


def test_the_last_look_of_the_plan_waits_for_the_end() -> None:
    """Nine of ten looks were taken early, so the tenth, which spends all that is left, comes when time is over."""
    looks = tuple(Look(100.0 * number, 0.05 * number) for number in range(1, 10))
    keys = ("error-rate", "better"), ("thumbs-up", "better")
    early, late = START + timedelta(seconds=1000), START + PLAN.maximum
    at = state(stage=2, taken=dict.fromkeys(keys, looks))
    assert not look_is_due(PLAN, at, results(information=0.9), early)
    assert look_is_due(PLAN, at, results(information=0.9), late)
    assert look_is_due(PLAN, at, results(information=1.0), early)


def test_after_all_looks_time_ends_without_another() -> None:
    """As in rollouts of an earlier release, which may have had more."""
    looks = tuple(Look(10.0 * number, 0.03 * number) for number in range(1, 27))
    at = state(stage=2, taken={("error-rate", "better"): looks})
    late = START + PLAN.maximum
    found = results(information=0.9, goal=Verdict.INSUFFICIENT)
    assert not look_is_due(PLAN, at, found, late)
    assert decide(PLAN, at, found, late).kind is DecisionKind.INCONCLUSIVE


def test_what_was_shown_and_held_back_is_promoted_without_a_further_look() -> None:
    """As when the endpoint could not be published at the look."""
    keys = ("error-rate", "better"), ("thumbs-up", "better")
    shown = PastLooks(dict.fromkeys(keys, (Look(100.0, 1.0),)), frozenset(keys))
    at = replace(state(stage=2), looks=shown)
    soon: datetime = START + timedelta(seconds=1000)
    assert not look_is_due(PLAN, at, results(), soon)
    assert decide(PLAN, at, results(), soon).kind is DecisionKind.PROMOTE
    assert decide(PLAN, at, results(guardrail=Verdict.FAIL), soon).kind is not DecisionKind.PROMOTE
