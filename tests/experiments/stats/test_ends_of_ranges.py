"""No event, one, all but one, all; a control that is exactly zero: there is an answer, and it can be a pass."""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.types import (
    Direction,
    MarginKind,
    MetricPlan,
    MetricType,
    PastLooks,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge
from experiments.stats.sequential.bounded import rate_interval, rate_log_e
from tests.experiments.stats.samples import evidence, plan, share

pytestmark = pytest.mark.slow

Arm = Callable[[int, int], UnitSums]
LAST = PastLooks(last=True)
FAILED = MetricPlan("failed", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)
ERRORS = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.5, counts_events=True)


def requests(units: int, events: int) -> UnitSums:
    """Three requests a user; so many users have one that failed."""
    y = np.zeros(units)
    y[:events] = 1.0
    return UnitSums.of(y, np.full(units, 3.0))


@pytest.mark.parametrize("trials", [1, 2, 3, 10, 1000])
def test_every_count_has_an_interval_of_its_rate(trials: int) -> None:
    """It holds the observed rate, leaves out what the e-value does, and is that of the other outcome mirrored."""
    for events in sorted({0, 1, trials - 1, trials}):
        low, high = rate_interval(events, trials, 0.05, planned_trials=1000)
        assert 0.0 <= low <= events / trials <= high <= 1.0
        for end in (low, high):
            if 0.0 < end < 1.0:
                assert rate_log_e(events, trials, end, planned_trials=1000) == pytest.approx(math.log(20.0), abs=1e-6)
        mirrored = rate_interval(trials - events, trials, 0.05, planned_trials=1000)
        assert (1.0 - mirrored[1], 1.0 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_more_trials_without_an_event_leave_less_room() -> None:
    ends = [rate_interval(0, trials, 0.05, planned_trials=1000)[1] for trials in (10, 100, 1000, 10_000)]
    assert ends == sorted(ends, reverse=True)
    assert ends[-1] < 0.001


@pytest.mark.parametrize(("metric", "arm"), [(FAILED, share), (ERRORS, requests)], ids=["users", "requests"])
def test_no_error_in_either_arm_passes_a_relative_margin_in_the_end(metric: MetricPlan, arm: Arm) -> None:
    """Half of one in a thousand is accepted, which the score test shows from z² / 0.0005 = 5 411 trials on.

    How errors cluster is not known without one, so that all requests of a user count as one trial.
    """
    few, many = (judge(plan(metric), evidence(metric, arm(n, 0), arm(n, 0)), looks=LAST) for n in (5300, 5500))
    assert few.metrics[0].verdict is Verdict.INSUFFICIENT
    assert many.metrics[0].verdict is Verdict.PASS
    assert not many.halt.reached


def test_harm_beside_a_control_without_an_error_is_halted_and_never_passes() -> None:
    for metric, arm in ((FAILED, share), (ERRORS, requests)):
        results = judge(plan(metric), evidence(metric, arm(9000, 0), arm(9000, 120)), looks=LAST)
        assert results.halt.reached
        assert results.metrics[0].verdict is Verdict.FAIL


@pytest.mark.parametrize("metric", [FAILED, ERRORS], ids=["users", "requests"])
@pytest.mark.parametrize("kind", list(MarginKind))
@pytest.mark.parametrize("units", [2, 150, 4000])
def test_any_pair_of_counts_has_an_answer(metric: MetricPlan, kind: MarginKind, units: int) -> None:
    """Nothing is warned about, what is shown is finite, and more errors never look safer."""
    margin = 0.5 if kind is MarginKind.RELATIVE else 0.01
    metric, of_users = replace(metric, margin=margin, margin_kind=kind), metric.type is MetricType.PROPORTION
    arm = share if of_users else requests
    ends = (0, 1, units - 1, units)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for control in ends:
            arms = [(arm(units, control), arm(units, events)) for events in ends]
            found = [judge(plan(metric), evidence(metric, *pair), looks=LAST).metrics[0] for pair in arms]
            known = [max(each.p_value, 1e-12) for each in found if each.p_value is not None]
            assert known == sorted(known)
            # A third of each user's requests in both arms differs in nothing, and so tells nothing.
            alike = not of_users and control == units
            assert len(known) >= len(ends) - alike or units == 2
            assert all(each.verdict is not Verdict.PASS for each in found) or units > 2


def test_a_goal_beside_a_control_that_is_exactly_zero_can_be_met_before_the_end() -> None:
    goal = MetricPlan("bought", MetricType.PROPORTION, Direction.INCREASE, Role.GOAL, minimum_effect=0.1)
    (bought,) = judge(plan(goal), evidence(goal, share(5000, 0), share(5000, 900))).metrics
    assert bought.verdict is Verdict.PASS
    amount = MetricPlan("revenue", MetricType.MEAN, Direction.INCREASE, Role.GOAL, minimum_effect=0.1)
    nothing, some = UnitSums.of(np.zeros(5000)), UnitSums.of(np.arange(5000) % 7)
    assert judge(plan(amount), evidence(amount, nothing, some)).metrics[0].verdict is Verdict.PASS


def test_an_absolute_margin_beside_a_control_that_is_exactly_zero_is_judged() -> None:
    cost = MetricPlan(
        "cost", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=0.5, margin_kind=MarginKind.ABSOLUTE
    )
    nothing = UnitSums.of(np.zeros(3000))
    little, much = UnitSums.of(np.arange(3000) % 2 * 0.1), UnitSums.of(np.arange(3000) % 2 * 4.0)
    assert judge(plan(cost), evidence(cost, nothing, little), looks=LAST).metrics[0].verdict is Verdict.PASS
    assert judge(plan(cost), evidence(cost, nothing, much)).halt.reached
