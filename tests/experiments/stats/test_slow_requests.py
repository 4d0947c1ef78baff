"""The share of slow requests as a gate on a quantile: no false alarms from users who send many."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import linear_contrast, lower_tail
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import UnitSums
from experiments.stats.metrics import ratio
from experiments.stats.metrics.quantiles import exceedance
from experiments.stats.metrics.slow_requests import frozen_threshold, slow_share
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references
from tests.experiments.stats.samples import Values, requests

pytestmark = pytest.mark.slow

RUNS = 400


def counts_of(arm: str, threshold: float) -> UnitSums:
    slow: dict[int, list[float]] = {}
    for row in data()["requests"]:
        if row["arm"] == arm:
            slow.setdefault(row["user"], []).append(row["latency_ms"] > threshold)
    return slow_share([sum(each) for each in slow.values()], [len(each) for each in slow.values()])


def both_arms(inputs: Inputs) -> Ours:
    arms = [ratio.estimate(SumsColumns.of([counts_of(arm, inputs["threshold"])])) for arm in ("treatment", "control")]
    contrast = linear_contrast(*arms)
    return {
        "p_t": arms[0].value[0],
        "p_c": arms[1].value[0],
        "diff": contrast.difference[0],
        "se": contrast.standard_error[0],
        "z": contrast.z[0],
    }


@pytest.mark.parametrize("case", [case for case in references("quantile") if case.id == "q.exceedance"])
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(case, {"q.exceedance": both_arms})


def users(rng: np.random.Generator, count: int, slower: float = 1.0) -> tuple[Values, Values]:
    units = np.repeat(np.arange(count), requests(rng, count).astype(np.int64))
    values = slower * np.exp(rng.normal(0, 0.7, count)[units] + rng.normal(0, 0.7, units.size))
    return values, units.astype(np.float64)


def rejections(slower: float) -> float:
    """How often the candidate has more slow requests, one-sided at 2.5 %, with the threshold from before the start."""
    rng, found = np.random.default_rng(21), 0
    for _ in range(RUNS):
        threshold = frozen_threshold(users(rng, 500)[0], 0.9)
        arms = [exceedance(*users(rng, 500, factor), threshold) for factor in (slower, 1.0)]
        estimates = [ratio.estimate(SumsColumns.of([arm])) for arm in arms]
        found += float(lower_tail(linear_contrast(estimates[1], estimates[0]))[0]) < 0.025
    return found / RUNS


def test_equal_arms_raise_an_alarm_by_chance_alone() -> None:
    assert rejections(1.0) == pytest.approx(0.025, abs=4 * math.sqrt(0.025 * 0.975 / RUNS))


def test_a_slower_candidate_is_found() -> None:
    assert rejections(1.5) > 0.8


def test_counts_of_units_say_the_same_as_their_requests() -> None:
    values, units = users(np.random.default_rng(2), 50)
    codes = units.astype(np.intp)
    slow = np.bincount(codes, weights=values > 2.0)
    assert slow_share(slow, np.bincount(codes)) == exceedance(values, units, 2.0)


def test_a_unit_without_requests_is_left_out() -> None:
    assert slow_share([0, 1], [0, 3]) == slow_share([1], [3])


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_the_threshold_is_not_exceeded_by_the_levels_share_and_no_smaller_value_is(level: float) -> None:
    values = np.random.default_rng(1).lognormal(0, 1, 997)
    threshold = frozen_threshold(values, level)
    assert np.mean(values <= threshold) >= level > np.mean(values < threshold)


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=20))
def test_counts_that_no_unit_can_have_are_refused_by_name(rows: list[tuple[float, float]]) -> None:
    possible = all(0.0 <= slow <= sent < math.inf for slow, sent in rows)
    assert answer(rows) in ({"answered"} if possible else {"counts-not-finite", "counts-impossible"})


def answer(rows: list[tuple[float, float]]) -> str:
    try:
        with np.errstate(over="ignore"):
            sums = slow_share([slow for slow, _ in rows], [sent for _, sent in rows])
    except StatisticsError as error:
        return error.code
    return "answered" if sums.units == sum(sent > 0.0 for _, sent in rows) else "units are missing"


def test_what_is_no_threshold_has_a_name() -> None:
    codes = []
    for values, level in (([], 0.9), ([math.nan], 0.9), ([1.0], 0.0), ([1.0], 1.0), ([1.0], math.nan)):
        with pytest.raises(StatisticsError) as error:
            frozen_threshold(values, level)
        codes.append(error.value.code)
    assert codes == ["values-none", "values-not-finite", "level-range", "level-range", "level-range"]
    with pytest.raises(StatisticsError) as error:
        slow_share([1], [1, 2])
    assert error.value.code == "counts-lengths"
