"""Quantile intervals cover as they say although requests of one user resemble each other."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.contrast import linear_contrast, lower_tail
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import Direction, Evidence, MetricPlan, MetricType, Role, UnitSums
from experiments.stats.judging.judge import judge
from experiments.stats.metrics.quantiles import (
    QuantileEstimate,
    clustered_quantile,
    exceedance,
    paired_quantile_difference,
)
from tests.experiments.stats.samples import Values, plan

pytestmark = pytest.mark.slow

RUNS = 300


def latencies(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
    """Heavy-tailed use, up to 200 requests a user, and users who differ as much as requests do."""
    counts = np.minimum(rng.zipf(1.8, users), 200)
    units = np.repeat(np.arange(users), counts)
    return np.exp(rng.normal(0, 0.7, users)[units] + rng.normal(0, 0.7, units.size)), units.astype(np.float64)


def truth(level: float) -> float:
    """Quantile over requests: users' number of requests does not depend on their speed."""
    return float(np.exp(math.sqrt(2) * 0.7 * math.sqrt(2) * _inverse_error(2 * level - 1)))


def _inverse_error(x: float) -> float:
    from scipy import special

    return float(special.erfinv(x))


@pytest.mark.parametrize(("level", "users"), [(0.5, 400), (0.9, 400), (0.99, 2000)])
def test_intervals_cover_the_truth_as_often_as_they_say(level: float, users: int) -> None:
    rng = np.random.default_rng(round(level * 100))
    found = [clustered_quantile(*latencies(rng, users), level) for _ in range(RUNS)]
    covered = np.mean([estimate.low <= truth(level) <= estimate.high for estimate in found])
    assert covered == pytest.approx(0.95, abs=0.02 + 4 * math.sqrt(0.95 * 0.05 / RUNS))


def test_taking_requests_for_independent_is_wrong_many_times_as_often() -> None:
    """The interval of independent order statistics, as most dashboards have it, on the same data."""
    rng = np.random.default_rng(9)
    wrong = 0
    for _ in range(RUNS):
        values = np.sort(latencies(rng, 400)[0])
        half = 1.96 * math.sqrt(0.25 / values.size)
        low, high = np.quantile(values, [0.5 - half, 0.5 + half])
        wrong += not low <= truth(0.5) <= high
    assert wrong / RUNS > 0.2


def test_two_arms_alike_differ_by_chance_alone() -> None:
    rng = np.random.default_rng(4)
    p_values = []
    for _ in range(RUNS):
        arms = [clustered_quantile(*latencies(rng, 400), 0.9).as_estimates() for _ in range(2)]
        one_sided = float(lower_tail(linear_contrast(*arms))[0])
        p_values.append(2 * min(one_sided, 1 - one_sided))
    chance = 4 * math.sqrt(0.05 * 0.95 / RUNS)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.02 + chance)


def test_a_pair_of_models_is_compared_on_the_same_requests() -> None:
    """What makes a request slow makes it slow for both, so the difference is known far better than either quantile."""
    rng = np.random.default_rng(8)
    values, units = latencies(rng, 600)
    second = values * 1.1 + rng.normal(0, 0.01, values.size)
    paired = paired_quantile_difference(values, second, units, 0.9)
    apart = [clustered_quantile(each, units, 0.9).as_estimates() for each in (second, values)]
    unpaired = linear_contrast(*apart).standard_error[0]
    paired_error = math.sqrt(paired.variance[0] / paired.units[0])
    assert paired_error < 0.5 * unpaired
    assert paired.value[0] == pytest.approx(0.1 * np.quantile(values, 0.9), rel=0.1)


def test_paired_differences_cover_the_truth() -> None:
    rng = np.random.default_rng(12)
    covered = []
    for _ in range(RUNS):
        values, units = latencies(rng, 400)
        second = values * np.exp(rng.normal(0, 0.3, values.size))
        difference = paired_quantile_difference(values, second, units, 0.9)
        error = math.sqrt(difference.variance[0] / difference.units[0])
        spread = math.sqrt(2 * 0.49 + 0.09)
        expected = math.exp(spread * 1.2815515655446004) - truth(0.9)
        covered.append(abs(difference.value[0] - expected) <= 1.96 * error)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02 + 4 * math.sqrt(0.95 * 0.05 / RUNS))


def test_the_judge_guards_a_quantile() -> None:
    p90 = MetricPlan("p90", MetricType.QUANTILE, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
    rng = np.random.default_rng(2)
    control, same, slow = (clustered_quantile(*latencies(rng, 4000), 0.9) for _ in range(3))
    slow = replace(slow, value=slow.value * 1.8, low=slow.low * 1.8, high=slow.high * 1.8)

    def halted(new: QuantileEstimate) -> bool:
        sums = {("p90", "control"): control.as_sums(), ("p90", "new"): new.as_sums()}
        return judge(plan(p90), Evidence({"control": 4000, "new": 4000}, sums)).halt.reached

    assert halted(slow)
    assert not halted(same)
    missing = judge(plan(p90), Evidence({"control": 9, "new": 9}, {})).metrics[0]
    assert missing.note == "Too few users or requests in a variant for this quantile."


@pytest.mark.parametrize("slow", [0.095, 0.1, 0.105])
def test_a_quantile_that_jumps_by_chance_halts_no_equal_arm(slow: float) -> None:
    """Answers take 100 or 1 000 ms, a tenth of them the longer: the 90 % quantile is either, whatever the arm."""
    p90 = MetricPlan("p90", MetricType.QUANTILE, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
    rng = np.random.default_rng(3)
    halted, runs, ticks, users = 0, 60, 8, 100
    for _ in range(runs):
        arms = {name: np.where(rng.random((ticks * users, 3)) < slow, 1000.0, 100.0) for name in ("control", "new")}
        halted += any(
            _is_halted(p90, {name: each[: tick * users] for name, each in arms.items()}) for tick in (2, 4, 8)
        )
    # At most 1 % are promised; so many of 60 would come by chance in less than one case of a thousand.
    assert halted <= 4


def _is_halted(metric: MetricPlan, arms: dict[str, Values]) -> bool:
    found = {
        (metric.key, name): clustered_quantile(values.ravel(), np.repeat(np.arange(len(values)), 3), 0.9).as_sums()
        for name, values in arms.items()
    }
    return judge(plan(metric), Evidence({name: len(each) for name, each in arms.items()}, found)).halt.reached


def test_sums_say_the_same_as_the_estimate() -> None:
    estimate = clustered_quantile(*latencies(np.random.default_rng(1), 300), 0.5)
    sums = estimate.as_sums()
    mean = sums.sum_y / sums.units
    variance = (sums.sum_yy - sums.sum_y * mean) / (sums.units - 1)
    assert mean == pytest.approx(estimate.value)
    assert math.sqrt(variance / sums.units) == pytest.approx((estimate.high - estimate.low) / 2 / 1.959963984540054)


@pytest.mark.parametrize(
    ("users", "level", "enough"), [(49, 0.5, False), (60, 0.5, True), (150, 0.99, False), (4000, 0.99, True)]
)
def test_too_few_data_are_said(users: int, level: float, enough: bool) -> None:
    estimate = clustered_quantile(*latencies(np.random.default_rng(users), users), level)
    assert (estimate.note == "") is enough


def test_enough_is_judged_by_counts_and_never_by_values() -> None:
    """A rule that asks how alike a user's requests are lets those samples through that look too certain by chance."""
    rng = np.random.default_rng(3)
    units = np.repeat(np.arange(300), np.minimum(rng.zipf(1.8, 300), 200))
    notes = {clustered_quantile(rng.lognormal(0, 1, units.size), units, 0.99).note for _ in range(50)}
    assert len(notes) == 1
    even = np.repeat(np.arange(300), 5)
    assert {clustered_quantile(rng.lognormal(0, 1, even.size), even, 0.99).note for _ in range(50)} == {""}


def test_what_is_called_enough_covers() -> None:
    """Of samples with a few very busy users, only those are judged whose intervals hold."""
    rng = np.random.default_rng(5)
    found = [clustered_quantile(*latencies(rng, 400), 0.9) for _ in range(600)]
    trusted = [estimate for estimate in found if not estimate.note]
    assert len(trusted) > 300
    covered = np.mean([estimate.low <= truth(0.9) <= estimate.high for estimate in trusted])
    assert covered == pytest.approx(0.95, abs=0.02 + 4 * math.sqrt(0.95 * 0.05 / len(trusted)))


def test_exceedance_counts_requests_above_the_threshold() -> None:
    assert exceedance([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], 2.0) == UnitSums.of([0, 2], [2, 2])


@given(st.lists(st.tuples(st.floats(), st.integers(0, 3)), max_size=30), st.floats())
def test_nonsense_is_refused_by_name_or_answered(rows: list[tuple[float, int]], level: float) -> None:
    assert answer([value for value, _ in rows], [unit for _, unit in rows], level) in {
        "answered",
        "level-range",
        "values-none",
        "values-not-finite",
    }


def answer(values: list[float], units: list[int], level: float) -> str:
    try:
        estimate = clustered_quantile(values, units, level)
    except StatisticsError as error:
        return error.code
    return "answered" if not math.isnan(estimate.value) else "no number"


def test_values_and_units_belong_together() -> None:
    with pytest.raises(StatisticsError) as error:
        clustered_quantile([1.0], [1, 2], 0.5)
    assert error.value.code == "values-lengths"
