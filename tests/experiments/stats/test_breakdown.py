"""Effects by segment: held against scipy, and against chance."""

import numpy as np
import pytest
from scipy import stats

from experiments.stats.core.types import Direction, Evidence, JudgePlan, MetricPlan, MetricType, Role, UnitSums
from experiments.stats.judging.breakdown import FEW, break_down

SPEND = MetricPlan("spend", MetricType.MEAN, Direction.INCREASE, Role.OBSERVED)
ERRORS = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)
EDGES = [("edge", name) for name in ("eu", "us", "asia", "africa")]


def plan(*metrics: MetricPlan) -> JudgePlan:
    return JudgePlan(metrics, "control", {"control": 0.5, "new": 0.5})


def spending(control: np.ndarray, new: np.ndarray) -> Evidence:
    return Evidence({}, {("spend", "control"): UnitSums.of(control), ("spend", "new"): UnitSums.of(new)})


def test_p_values_and_intervals_are_those_of_scipy() -> None:
    random = np.random.default_rng(5)
    arms = [(random.gamma(2, 3, 400), random.gamma(2, 3 + shift, 300)) for shift in (0, 0.2, 0.5, 1)]
    found = break_down(plan(SPEND), dict(zip(EDGES, (spending(*arm) for arm in arms), strict=True)))
    tests = [stats.ttest_ind(new, control, equal_var=False) for control, new in arms]
    p_values = [test.pvalue for test in tests]
    assert [each.p_value for each in found] == pytest.approx(p_values, rel=1e-9)
    assert [each.adjusted_p_value for each in found] == pytest.approx(stats.false_discovery_control(p_values), rel=1e-9)
    for each, test in zip(found, tests, strict=True):
        interval = test.confidence_interval(0.95)
        assert each.interval is not None
        assert (each.interval.low, each.interval.high) == pytest.approx(interval, rel=1e-9)


def test_chance_stands_out_in_one_of_twenty_breakdowns_however_many_values_there_are() -> None:
    random, runs = np.random.default_rng(11), 600
    any_stands_out = 0
    for _ in range(runs):
        segments = {edge: spending(*random.exponential(1, (2, 150))) for edge in EDGES}
        found = break_down(plan(SPEND), segments)
        any_stands_out += any((each.adjusted_p_value or 1) < 0.05 for each in found)
    # Five in a hundred, and what chance makes of it in so many runs: three standard errors.
    assert any_stands_out / runs < 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


def test_few_users_tell_nothing_and_hide_nobody() -> None:
    random = np.random.default_rng(3)
    segments = {
        EDGES[0]: spending(*random.exponential(1, (2, 99))),
        EDGES[1]: spending(*random.exponential(1, (2, 100))),
        EDGES[2]: Evidence({}, {}),
    }
    few, enough, none = break_down(plan(SPEND), segments)
    assert (few.effect, few.p_value, few.note) == (None, None, FEW)
    assert few.control_value is not None
    assert enough.note == ""
    assert enough.adjusted_p_value == enough.p_value
    assert (none.control_value, bool(none.note)) == (None, True)


def test_rare_events_have_the_interval_of_the_score_test() -> None:
    """No event in one arm: a normal interval would have no width there."""
    none, some = UnitSums(1000, 0, 1000, 0, 1000, 0), UnitSums(1000, 8, 1000, 8, 1000, 8)
    sums = {("errors", "control"): none, ("errors", "new"): some}
    [found] = break_down(plan(ERRORS), {EDGES[0]: Evidence({}, sums)})
    assert found.interval is not None
    assert 0.0 < found.interval.low < 0.008 < found.interval.high
    assert found.p_value is not None
    assert 0.001 < found.p_value < 0.01
