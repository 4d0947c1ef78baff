"""Harm that is rare and huge: a share of values above a threshold halts as any share does, with a part of its own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge, watch
from experiments.stats.judging.later import LaterEvidence, Since

SINCE = datetime(2026, 1, 5, 14, 5, tzinfo=UTC)
LATENCY = MetricPlan("latency", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.25)
TAILS = tuple(
    MetricPlan(
        key,
        MetricType.RATIO,
        Direction.DECREASE,
        Role.GUARDRAIL,
        margin=0.005,
        margin_kind=MarginKind.ABSOLUTE,
        minimum_effect=0.5,
        counts_events=True,
    )
    for key in ("over 10 s", "over 100 s")
)
PLAN = JudgePlan((LATENCY,), "control", {"control": 0.5, "new": 0.5}, tails={"latency": TAILS})


def measured(users: int, slow: int, seconds: float = 120.0, *, control_slow: int = 0) -> Evidence:
    """One answer a user, of a second or of so many."""
    sums: dict[tuple[str, str], UnitSums] = {}
    for arm, count in (("control", control_slow), ("new", slow)):
        durations = [seconds] * count + [1.0] * (users - count)
        sums["latency", arm] = UnitSums.of(durations)
        for key, threshold in (("over 10 s", 10.0), ("over 100 s", 100.0)):
            sums[key, arm] = UnitSums.of([float(each > threshold) for each in durations])
    return Evidence({"control": users, "new": users}, sums)


def test_two_answers_in_a_hundred_halt_where_the_mean_is_within_its_margin() -> None:
    whole = measured(2500, 50, 12.0)
    assert not judge(replace(PLAN, tails={}), whole).halt.reached
    results = judge(PLAN, whole)
    assert results.halt.blamed == (("latency", "new"),)
    assert results.metrics[0].harmed
    assert [(harm.metric, harm.since) for harm in results.halt.tails] == [("over 10 s", None)]
    assert (results.halt.tails[0].control_value, results.halt.tails[0].variant_value) == (0.0, 0.02)
    assert watch(PLAN, whole) == results.halt


@pytest.mark.parametrize("seconds", [12.0, 30.0, 120.0, 300.0, 1e9])
def test_huger_is_never_slower_to_halt(seconds: float) -> None:
    smaller = [watch(PLAN, measured(users, users // 50, 11.0)).reached for users in range(1000, 4000, 250)]
    larger = [watch(PLAN, measured(users, users // 50, seconds)).reached for users in range(1000, 4000, 250)]
    assert True in smaller
    assert larger.index(True) <= smaller.index(True)


def test_as_many_in_both_arms_halt_nothing() -> None:
    assert not watch(PLAN, measured(4000, 80, control_slow=80)).reached
    assert not watch(PLAN, measured(4000, 800, control_slow=800)).reached


def test_tails_speak_since_later_starts_too() -> None:
    late = LaterEvidence(Since(SINCE, 0.01), measured(2000, 100))
    whole = measured(40_000, 100)
    assert not watch(PLAN, whole).reached
    assert watch(PLAN, whole, [late]).tails[0].since == SINCE


def test_promotion_does_not_ask_for_tails() -> None:
    results = judge(PLAN, measured(4000, 0))
    assert [result.metric for result in results.metrics] == ["latency"]


def test_their_part_is_taken_from_the_guardrails() -> None:
    alone, beside = judge(replace(PLAN, tails={}), measured(2500, 0)), judge(PLAN, measured(2500, 0))
    assert beside.halt.threshold > alone.halt.threshold


def test_an_estimate_beyond_the_margin_is_told_before_it_is_shown() -> None:
    """One answer in a hundred that takes twelve seconds makes the mean 11 % longer, which is accepted."""
    results = judge(PLAN, measured(1000, 10, 12.0))
    assert not results.halt.reached
    assert results.metrics[0].verdict is Verdict.PASS
    assert [(harm.metric, harm.variant_value) for harm in results.beyond] == [("over 10 s", 0.01)]
    assert judge(PLAN, measured(1000, 10, 12.0, control_slow=6)).beyond == ()


def test_chance_among_many_slow_answers_holds_nothing() -> None:
    """Of 1,000 answers 220 and 200: chance alone makes such a difference in one of six pairs of equal arms."""
    assert judge(PLAN, measured(1000, 220, control_slow=200)).beyond == ()
    assert judge(PLAN, measured(1000, 320, control_slow=200)).beyond != ()
