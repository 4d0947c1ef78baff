"""What a unit did before narrows the interval, moves nothing, and is left alone where it cannot be trusted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats import anytime
from experiments.stats.contrast import linear_contrast
from experiments.stats.covariate import Adjusted, CovariateSums, adjust, imbalance_p_value, regression
from experiments.stats.errors import StatisticsError
from tests.experiments.stats.samples import Values

RUNS = 1000
UNITS = 200
CHANCE = 4 * math.sqrt(0.05 * 0.95 / RUNS)


def runs(rng: np.random.Generator, *, effect: float = 0.0, correlation: float = 0.8) -> list[Adjusted]:
    """Both arms of many small experiments on users whose past says much about what they do."""
    past = rng.normal(10, 2, (RUNS, 2, UNITS))
    noise = rng.normal(0, 2 * math.sqrt(1 - correlation**2), (RUNS, 2, UNITS))
    after = 10 + correlation * (past - 10) + noise
    after[:, 1] += effect
    return [
        adjust(CovariateSums.of(y[1], x[1]), CovariateSums.of(y[0], x[0])) for y, x in zip(after, past, strict=True)
    ]


def test_the_variance_falls_by_the_square_of_the_correlation() -> None:
    found = runs(np.random.default_rng(1))
    assert np.mean([each.variance_reduction for each in found]) == pytest.approx(0.64, abs=0.01)
    assert np.mean([each.correlation for each in found]) == pytest.approx(0.8, abs=0.01)


def test_the_interval_covers_the_effect_and_the_estimate_is_not_moved() -> None:
    contrasts = [linear_contrast(each.candidate, each.control) for each in runs(np.random.default_rng(2), effect=0.3)]
    differences = np.array([float(each.difference[0]) for each in contrasts])
    errors = np.array([float(each.standard_error[0]) for each in contrasts])
    assert np.mean(np.abs(differences - 0.3) > 1.96 * errors) == pytest.approx(0.05, abs=CHANCE + 0.005)
    assert differences.mean() == pytest.approx(0.3, abs=4 * errors.mean() / math.sqrt(RUNS))


def test_looking_all_the_time_at_adjusted_values_keeps_the_error_rate() -> None:
    """The slope is learnt anew at each of 20 looks, from all data until then."""
    rng = np.random.default_rng(3)
    past = rng.normal(0, 1, (400, 2, 1000))
    after = 0.7 * past + rng.normal(0, 1, (400, 2, 1000))
    crossed = np.zeros(400, dtype=np.bool_)
    for units in range(50, 1001, 50):
        for run in np.flatnonzero(~crossed):
            arms = (CovariateSums.of(after[run, arm, :units], past[run, arm, :units]) for arm in (1, 0))
            both = adjust(*arms)
            contrast = linear_contrast(both.candidate, both.control)
            log_e = anytime.two_sided_log_e(contrast.z, 0.3**2 * contrast.information)
            crossed[run] = bool(log_e[0] >= math.log(20))
    assert crossed.mean() <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)


def test_a_ratio_is_adjusted_by_its_own_past() -> None:
    rng = np.random.default_rng(4)
    speed = rng.lognormal(0, 0.5, (2, 2000))
    before, requests = (rng.geometric(0.2, (2, 2000)).astype(np.float64) for _ in range(2))

    def arm(place: int) -> CovariateSums:
        past = speed[place] * before[place] * rng.lognormal(0, 0.3, 2000)
        after = speed[place] * requests[place] * rng.lognormal(0, 0.3, 2000)
        return CovariateSums.of(after, past, d=requests[place], w=before[place])

    both = adjust(arm(1), arm(0))
    assert both.variance_reduction > 0.1
    assert both.note == ""


def test_arms_that_differed_before_are_found_out() -> None:
    rng = np.random.default_rng(5)
    alike = [rng.normal(0, 1, 500) for _ in range(2)]
    sums = [CovariateSums.of(each, each) for each in alike]
    assert imbalance_p_value(*sums) > 0.001
    shifted = CovariateSums.of(alike[0], alike[0] + 0.5)
    assert imbalance_p_value(shifted, sums[1]) < 1e-6


@pytest.mark.parametrize(
    ("units", "past", "reason"), [(10, "varies", "too few to learn"), (100, "constant", "does not vary")]
)
def test_a_past_that_cannot_help_is_left_alone(units: int, past: str, reason: str) -> None:
    rng = np.random.default_rng(6)
    values: Values = rng.normal(0, 1, units)
    before = values if past == "varies" else np.ones(units)
    found = adjust(CovariateSums.of(values, before), CovariateSums.of(values + 1, before))
    assert reason in found.note
    assert found.theta == 0.0
    assert found.candidate.value[0] == pytest.approx(values.mean())
    assert found.variance_reduction == 0.0


def test_sums_of_two_days_are_those_of_both() -> None:
    rng = np.random.default_rng(7)
    y, x = rng.normal(0, 1, (2, 50))
    halves = CovariateSums.of(y[:20], x[:20]) + CovariateSums.of(y[20:], x[20:])
    whole = CovariateSums.of(y, x)
    np.testing.assert_allclose(halves.products, whole.products)
    assert halves.units == whole.units


def test_interactions_help_where_the_effect_differs_between_users() -> None:
    rng = np.random.default_rng(8)
    past, treated = rng.normal(0, 1, 4000), np.arange(4000) % 4 == 0
    y = past * (1 + 2 * treated) + rng.normal(0, 0.1, 4000)
    full = regression(y, treated, [past])
    plain = regression(y, treated, [past], interactions=False)
    assert full.standard_error < plain.standard_error
    assert abs(full.effect) < 4 * full.standard_error + 0.1


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=40))
def test_nonsense_is_refused_by_name_or_answered(rows: list[tuple[float, float]]) -> None:
    assert answer([y for y, _ in rows], [x for _, x in rows]) in {"answered", "covariate-not-finite"}


def answer(y: list[float], x: list[float]) -> str:
    try:
        with np.errstate(all="ignore"):
            found = adjust(CovariateSums.of(y, x), CovariateSums.of(y, x))
    except StatisticsError as error:
        return error.code
    return "answered" if not math.isnan(found.theta) else "no number"


def test_columns_of_different_length_are_refused() -> None:
    for call in (lambda: CovariateSums.of([1.0], [1.0, 2.0]), lambda: regression([1.0], [1, 0], [])):
        with pytest.raises(StatisticsError) as error:
            call()
        assert error.value.code == "covariate-lengths"
