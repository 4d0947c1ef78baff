"""Pairs in which one model alone passes, against a margin and watched all the time."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.errors import StatisticsError
from experiments.stats.metrics import ratio
from experiments.stats.shadow.discordance import disagreement, harm_log_e, noninferiority_log_e

pytestmark = pytest.mark.slow

RUNS = 1000
PAIRS = 300
BOUND = 0.05 + 4 * math.sqrt(0.05 * 0.95 / RUNS)


def paths(odds: float) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], ...]:
    """Running counts of pairs that the first alone passed and that the second alone passed."""
    rng = np.random.default_rng(round(odds * 100))
    only_first = (rng.random((RUNS, PAIRS)) < odds / (1 + odds)).cumsum(axis=1)
    return only_first, np.arange(1, PAIRS + 1) - only_first


def ever(log_e: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float((log_e >= math.log(20)).any(axis=1).mean())


@pytest.mark.parametrize("odds", [1.0, 1.5])
def test_a_model_at_its_margin_is_rarely_blamed_and_rarely_cleared(odds: float) -> None:
    assert 0.0 < ever(harm_log_e(*paths(odds), accepted_odds=odds)) <= BOUND
    assert 0.0 < ever(noninferiority_log_e(*paths(odds), accepted_odds=odds)) <= BOUND


def test_a_worse_model_is_blamed_and_an_equal_one_cleared() -> None:
    assert ever(harm_log_e(*paths(3.0), accepted_odds=1.5)) > 0.9
    assert ever(noninferiority_log_e(*paths(1.0), accepted_odds=2.0)) > 0.9
    assert ever(harm_log_e(*paths(1.0), accepted_odds=2.0)) < ever(harm_log_e(*paths(2.0), accepted_odds=2.0))


def test_the_evidence_is_the_mean_likelihood_ratio_of_all_worse_odds() -> None:
    """By numerical integration over the probability of a pair that the candidate alone fails."""
    null = 1.5 / 2.5
    likelihood, _ = integrate.quad(lambda p: stats.binom.pmf(30, 45, p) / (1 - null), null, 1.0)
    expected = math.log(likelihood / stats.binom.pmf(30, 45, null))
    assert float(harm_log_e(30, 15, accepted_odds=1.5)) == pytest.approx(expected, rel=1e-9)


def test_disagreement_knows_that_pairs_of_one_user_belong_together() -> None:
    units = np.repeat(np.arange(100), 10)
    unlike = np.repeat(np.arange(100) < 20, 10)
    sums = disagreement(np.ones(1000), 1 - unlike, units)
    arm = ratio.estimate(SumsColumns.of([sums]))
    assert arm.value[0] == pytest.approx(0.2)
    assert arm.variance[0] / arm.units[0] == pytest.approx(0.2 * 0.8 / 99)


def test_whichever_model_alone_passes_they_disagree() -> None:
    first, second, units = [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 2, 2]
    assert disagreement(first, second, units) == disagreement(second, first, units)
    assert disagreement(first, second, units).sum_y == 2.0


@given(st.floats(), st.floats(), st.floats() | st.just(1.0))
def test_nonsense_is_refused_by_name_or_answered(only_first: float, only_second: float, odds: float) -> None:
    expected = "answered"
    if not all(0.0 <= count < math.inf for count in (only_first, only_second)):
        expected = "counts-impossible"
    if not 1e-6 <= odds <= 1e6:
        expected = "odds-range"
    assert {answer(each, only_first, only_second, odds) for each in (harm_log_e, noninferiority_log_e)} == {expected}


def answer(function: Callable[..., Floats], only_first: float, only_second: float, odds: float) -> str:
    try:
        with np.errstate(all="ignore"):
            function(only_first, only_second, accepted_odds=odds)
    except StatisticsError as error:
        return error.code
    return "answered"


def test_each_kind_of_nonsense_has_its_name() -> None:
    codes = []
    for first, second, units in (
        ([], [], []),
        ([1], [1, 0], [1, 2]),
        ([math.nan], [1.0], [1]),
        ([0.5], [1.0], [1]),
    ):
        with pytest.raises(StatisticsError) as error:
            disagreement(first, second, units)
        codes.append(error.value.code)
    assert codes == ["pairs-none", "pairs-lengths", "verdicts-impossible", "verdicts-impossible"]
