"""Shadow mode: pairs say more than two arms, and pairs of one user count as one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.contrast import lower_tail
from experiments.stats.core.errors import StatisticsError
from experiments.stats.sequential.anytime import two_sided_log_e
from experiments.stats.shadow.paired import (
    agreement,
    discordance_log_e,
    one_pair_a_unit,
    paired_difference,
    paired_log_ratio,
)
from tests.experiments.stats.samples import Values

pytestmark = pytest.mark.slow

RUNS = 1000


def answers(rng: np.random.Generator, users: int, pairs: int) -> tuple[Values, Values, Values]:
    """Scores of two equally good models on users who differ in what they ask, and in which model suits them."""
    units = np.repeat(np.arange(users), pairs)
    hard, taste = rng.normal(0, 1, users)[units], rng.normal(0, 0.5, users)[units]
    return hard + rng.normal(0, 0.5, units.size), hard + taste + rng.normal(0, 0.5, units.size), units.astype(float)


def test_equal_models_differ_by_chance_alone_although_users_repeat() -> None:
    rng = np.random.default_rng(2)
    ours: list[bool] = []
    naive: list[bool] = []
    for _ in range(RUNS):
        first, second, units = answers(rng, 60, 10)
        for found, labels in ((ours, units), (naive, np.arange(units.size))):
            tail = float(lower_tail(paired_difference(first, second, labels)))
            found.append(min(tail, 1 - tail) < 0.025)
    assert np.mean(ours) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / RUNS))
    assert np.mean(naive) > 0.15


def test_a_duration_is_compared_by_its_ratio() -> None:
    rng = np.random.default_rng(3)
    first = rng.lognormal(5, 1, 400)
    contrast = paired_log_ratio(first, first * 1.2 * rng.lognormal(0, 0.2, 400), np.arange(400) // 4)
    assert math.exp(contrast.difference) == pytest.approx(1.2, rel=0.05)
    assert float(two_sided_log_e(contrast.z, 8.0)) > math.log(100)


def test_discordance_may_be_watched_all_the_time() -> None:
    """Over 500 pairs of equally good models the evidence ever reaches 20 in one of 20 runs at the most."""
    rng = np.random.default_rng(4)
    first_alone = (rng.random((RUNS, 500)) < 0.5).cumsum(axis=1)
    only_second = np.arange(1, 501) - first_alone
    ever = (discordance_log_e(first_alone, only_second) >= math.log(20)).any(axis=1).mean()
    assert ever <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / RUNS)
    assert ever > 0.0


def test_alike_models_agree() -> None:
    found = agreement([1, 1, 1], [1, 1, 1])
    assert (found.disagreement, found.p_value) == (0.0, 1.0)
    assert math.isnan(found.kappa)
    assert found.interval.high > 0.5


def test_one_pair_of_each_user_is_taken() -> None:
    units = np.array([3, 3, 3, 5, 5, 9])
    places = one_pair_a_unit(units, np.random.default_rng(1))
    assert sorted(units[places].tolist()) == [3, 5, 9]


@given(st.lists(st.tuples(st.floats(), st.floats(), st.integers(0, 2)), max_size=20))
def test_nonsense_is_refused_by_name_or_answered(rows: list[tuple[float, float, int]]) -> None:
    assert answer(rows) in {"answered", "pairs-not-finite", "units-few"}


def answer(rows: list[tuple[float, float, int]]) -> str:
    first, second, units = ([row[place] for row in rows] for place in range(3))
    try:
        contrast = paired_difference(first, second, units)
    except StatisticsError as error:
        return error.code
    return "answered" if contrast.standard_error >= 0 else "no number"


def test_what_is_no_pair_has_a_name() -> None:
    codes = []
    for call in (
        lambda: paired_difference([1.0], [1.0, 2.0], [1, 2]),
        lambda: paired_log_ratio([0.0, 1.0], [1.0, 1.0], [1, 2]),
        lambda: agreement([], []),
        lambda: agreement([1], [1, 0]),
    ):
        with pytest.raises(StatisticsError) as error:
            call()
        codes.append(error.value.code)
    assert codes == ["pairs-lengths", "pairs-not-positive", "pairs-none", "pairs-lengths"]
