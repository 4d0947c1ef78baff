"""Looks spend alpha as information comes in: early, late, twice at once, and beyond the plan."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.spending import OBRIEN_FLEMING, POCOCK, Look, Spending, hwang_shih_decani, power_family
from experiments.stats.sequential.group_sequential import (
    critical_values,
    design,
    next_critical_value,
    stagewise_p_value,
)
from experiments.stats.sequential.group_sequential.design import stopping_probabilities

pytestmark = pytest.mark.slow

INCREMENTS = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8)


def looks_of(increments: list[float], planned: float) -> list[Look]:
    """Looks at running sums of information, the last one declared the last."""
    totals = np.cumsum(increments)
    fractions = [min(float(total / planned), 1.0) for total in totals]
    return [Look(float(t), f) for t, f in zip(totals, [*fractions[:-1], 1.0], strict=True)]


@given(INCREMENTS, st.floats(0.2, 4.0), st.sampled_from([OBRIEN_FLEMING, POCOCK, power_family(2.0)]))
def test_arbitrary_looks_spend_all_of_alpha_and_no_more(
    increments: list[float], planned: float, spending: Spending
) -> None:
    looks = looks_of(increments, planned)
    bounds = critical_values(looks, 0.05, spending=spending)
    information = [look.information for look in looks]
    assert stopping_probabilities(information, bounds).sum() == pytest.approx(0.05, abs=1e-6)


def test_over_running_costs_nothing() -> None:
    """The last look came late and has 30 % more information than planned: what is left of alpha is spent there."""
    planned = [Look(0.5, 0.5), Look(1.0, 1.0)]
    late = [Look(0.5, 0.5), Look(1.3, 1.0)]
    late_bounds = critical_values(late, 0.025)
    assert late_bounds[0] == critical_values(planned, 0.025)[0]
    assert stopping_probabilities([0.5, 1.3], late_bounds).sum() == pytest.approx(0.025)


def test_a_last_look_with_too_little_information_spends_what_is_left() -> None:
    early = critical_values([Look(0.2, 0.2), Look(0.5, 1.0)], 0.05)
    assert stopping_probabilities([0.2, 0.5], early).sum() == pytest.approx(0.05)
    assert early[1] < 1.7


def test_after_all_is_spent_nothing_can_be_found() -> None:
    bounds = critical_values([Look(1.0, 1.0), Look(2.0, 1.0)], 0.05)
    assert bounds[0] == pytest.approx(1.6448536)
    assert math.isinf(bounds[1])


def test_a_look_without_new_information_keeps_the_critical_value() -> None:
    once, twice = [Look(0.5, 0.5)], [Look(0.5, 0.5), Look(0.5, 0.7)]
    assert next_critical_value(twice, 0.05) == next_critical_value(once, 0.05)


def test_a_fraction_that_goes_back_spends_nothing() -> None:
    """The planned information was larger than thought, so a later look counts as an earlier share."""
    assert math.isinf(critical_values([Look(0.5, 0.6), Look(0.6, 0.5)], 0.05)[1])


def test_many_looks_cost_little_power() -> None:
    """Against a single look at the same information, at most 2 points, as the target table says."""
    hundred = tuple((number + 1) / 100 for number in range(100))
    bounds = critical_values([Look(t, t) for t in hundred], 0.05, sides=2)
    drift = 1.959963984540054 + 0.8416212335729143
    power = stopping_probabilities(hundred, bounds, drift=drift, sides=2).sum()
    assert power > 0.8 - 0.0215
    assert design(hundred, 0.05, 0.8, sides=2).inflation < 1.06


def test_the_p_value_of_a_stop_agrees_with_the_critical_value() -> None:
    looks = [Look(0.3, 0.3), Look(0.6, 0.6), Look(1.0, 1.0)]
    bound = next_critical_value(looks, 0.05)
    assert stagewise_p_value(looks, bound - 0.01, 0.05) > 0.05 > stagewise_p_value(looks, bound + 0.01, 0.05)
    early = stagewise_p_value(looks[:1], 4.0, 0.05)
    assert early < stagewise_p_value(looks, 4.0, 0.05) + 1e-4


@pytest.mark.parametrize(
    ("looks", "code"),
    [
        ([Look(1.0, 0.5), Look(0.9, 0.6)], "information-shrank"),
        ([Look(math.nan, 0.5)], "information-range"),
        ([Look(0.0, 0.5)], "information-range"),
        ([Look(1.0, -0.1)], "fraction-range"),
        ([Look(1.0, math.nan)], "fraction-range"),
        ([], "looks-none"),
    ],
)
def test_looks_that_cannot_be_have_a_name(looks: list[Look], code: str) -> None:
    with pytest.raises(StatisticsError) as error:
        next_critical_value(looks, 0.05)
    assert error.value.code == code


def test_arguments_out_of_range_have_a_name() -> None:
    codes = []
    for call in (
        lambda: critical_values([Look(1.0, 1.0)], 1.0),
        lambda: critical_values([Look(1.0, 1.0)], 0.05, sides=3),
        lambda: design((0.5, 1.0), 0.05, 0.01),
        lambda: power_family(0.0),
        lambda: hwang_shih_decani(math.inf),
    ):
        with pytest.raises(StatisticsError) as error:
            call()
        codes.append(error.value.code)
    assert codes == ["alpha-range", "sides", "power-range", "spending-shape", "spending-shape"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=4), st.floats(-1, 2))
def test_nonsense_is_refused_by_name_or_answered(values: list[float], fraction: float) -> None:
    looks = [Look(value, fraction) for value in values]
    assert answer(looks) in {"answered", "information-range", "information-shrank", "fraction-range"}


def answer(looks: list[Look]) -> str:
    """The name of the error, or that there was a usable answer."""
    try:
        bounds = critical_values(looks, 0.05)
    except StatisticsError as error:
        return error.code
    return "answered" if not np.isnan(bounds).any() else "no number"
