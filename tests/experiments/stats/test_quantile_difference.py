"""Two arms' quantiles: the difference, its relative interval and non-inferiority say the same."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.contrast import lower_tail
from experiments.stats.core.errors import StatisticsError
from experiments.stats.metrics.quantile_difference import quantile_contrast, quantile_difference
from experiments.stats.metrics.quantiles import QuantileEstimate, clustered_quantile
from tests.experiments.stats.samples import Values

pytestmark = pytest.mark.slow

RUNS = 300
LARGE = 1e6
ARM = QuantileEstimate(0.9, 300.0, 20.0, 260.0, 340.0, 500, 2000, LARGE, 2.0, "")


def latencies(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
    counts = np.minimum(rng.zipf(1.8, users), 200)
    units = np.repeat(np.arange(users), counts)
    return np.exp(rng.normal(0, 0.7, users)[units] + rng.normal(0, 0.7, units.size)), units.astype(np.float64)


def independent(values: Values, level: float) -> tuple[float, float]:
    """Value and standard error of order statistics of requests that are taken for independent."""
    half = 1.959963984540054 * math.sqrt(level * (1 - level) / values.size)
    low, value, high = np.quantile(values, [level - half, level, level + half])
    return float(value), float(high - low) / 2 / 1.959963984540054


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_equal_arms_differ_by_chance_alone_and_independent_requests_would_not_say_so(level: float) -> None:
    rng = np.random.default_rng([13, round(level * 100)])
    ours, theirs = 0, 0
    for _ in range(RUNS):
        arms = [latencies(rng, 400) for _ in range(2)]
        found = quantile_difference(*(clustered_quantile(*arm, level) for arm in arms)).interval
        assert found is not None
        ours += not found.low <= 0.0 <= found.high
        (one, one_error), (other, other_error) = (independent(values, level) for values, _ in arms)
        theirs += abs(one - other) > 1.96 * math.hypot(one_error, other_error)
    assert ours / RUNS <= 0.07 + 4 * math.sqrt(0.05 * 0.95 / RUNS)
    assert theirs / RUNS > 0.2


@pytest.mark.parametrize(("level", "users"), [(0.5, 200), (0.9, 200), (0.99, 200)])
def test_one_arms_interval_covers_with_200_users_of_1_to_200_requests(level: float, users: int) -> None:
    from scipy import special

    rng, truth = np.random.default_rng([14, round(level * 100)]), math.exp(0.7 * math.sqrt(2) * special.ndtri(level))
    found = [clustered_quantile(*latencies(rng, users), level) for _ in range(RUNS)]
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert covered == pytest.approx(0.95, abs=0.02 + 4 * math.sqrt(0.95 * 0.05 / RUNS))


def test_a_margin_lies_in_the_relative_interval_exactly_when_its_test_does_not_reject() -> None:
    """At the upper end as margin, the one-sided test has p = alpha / 2."""
    slower = replace(ARM, value=315.0, standard_error=25.0)
    found = quantile_difference(slower, ARM).relative_interval
    assert found is not None
    for margin, tail in ((found.high, 0.025), (found.low, 0.975)):
        p_value = float(lower_tail(quantile_contrast(slower, ARM, factor=1.0 + margin))[0])
        assert p_value == pytest.approx(tail, rel=1e-3)


def test_a_relative_difference_is_one_of_the_control() -> None:
    found = quantile_difference(replace(ARM, value=330.0), ARM)
    assert (found.difference, found.note) == (30.0, "")
    assert found.relative == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(20.0 * math.sqrt(2))


def test_a_control_that_may_be_zero_has_no_relative_interval() -> None:
    found = quantile_difference(ARM, replace(ARM, value=10.0))
    assert found.relative_interval is None
    assert found.interval is not None
    assert quantile_difference(ARM, replace(ARM, value=0.0)).relative is None


def test_arms_without_variation_have_no_interval() -> None:
    still = replace(ARM, standard_error=0.0)
    found = quantile_difference(still, still)
    assert (found.difference, found.interval, found.relative_interval) == (0.0, None, None)


def test_the_note_says_which_arm_has_too_few_data() -> None:
    few = replace(ARM, note="9 units are too few.")
    assert quantile_difference(few, ARM).note == "Candidate: 9 units are too few."
    assert quantile_difference(few, few).note == "Candidate: 9 units are too few. Control: 9 units are too few."


def test_arms_of_one_user_each_are_answered_with_a_note() -> None:
    alone = clustered_quantile([1.0, 2.0], [1, 1], 0.5)
    assert "too few" in quantile_difference(alone, alone).note


@given(st.floats() | st.floats(0.0, 1.0), st.floats() | st.just(0.9))
def test_nonsense_has_a_name(alpha: float, level: float) -> None:
    expected = "answered" if level == ARM.level else "levels-differ"
    assert answer(alpha, level) == (expected if 0.0 < alpha < 1.0 else "alpha-range")


def answer(alpha: float, level: float) -> str:
    try:
        quantile_difference(replace(ARM, level=level), ARM, alpha=alpha)
    except StatisticsError as error:
        return error.code
    return "answered"
