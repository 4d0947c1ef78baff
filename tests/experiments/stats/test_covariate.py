"""What a unit did before narrows the interval, moves nothing, and is left alone where it cannot be trusted."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.adjust.covariate import Adjusted, CovariateSums, adjust, imbalance_p_value, regression
from experiments.stats.core.contrast import linear_contrast
from experiments.stats.core.errors import StatisticsError
from experiments.stats.sequential import anytime
from tests.experiments.stats.samples import Values

pytestmark = pytest.mark.slow

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


def test_arms_that_differed_before_are_not_adjusted() -> None:
    rng = np.random.default_rng(5)
    past = rng.normal(0, 1, (2, 500))
    after = past + rng.normal(0, 1, (2, 500))
    found = adjust(CovariateSums.of(after[1] + 0.5, past[1] + 0.5), CovariateSums.of(after[0], past[0]))
    assert "differed before the exposure" in found.note
    assert found.imbalance_p_value < 1e-6
    assert found.correlation == pytest.approx(0.7, abs=0.1)
    as_measured(found, after[1] + 0.5, after[0])


def as_measured(found: Adjusted, candidate: Values, control: Values) -> None:
    """Nothing was taken off."""
    assert (found.theta, found.variance_reduction) == (0.0, 0.0)
    for arm, values in ((found.candidate, candidate), (found.control, control)):
        assert arm.value[0] == pytest.approx(values.mean())
        assert arm.variance[0] == pytest.approx(values.var(ddof=1), abs=1e-9)


@pytest.mark.parametrize(
    ("units", "before", "reason"),
    [
        (10, lambda values: values, "too few to learn"),
        (100, np.ones_like, "past does not vary"),
        # A tenth has no exact float: the sums of its squares vary by their rounding.
        (500, lambda values: np.full_like(values, 0.1), "past does not vary"),
        (500, lambda values: values + 1e8, "too little for its size"),
        (500, lambda values: values * 1e200, "too large for their squares"),
    ],
)
def test_a_past_that_cannot_help_is_left_alone(units: int, before: Callable[[Values], Values], reason: str) -> None:
    values: Values = np.random.default_rng(6).normal(0, 1, units)
    found = adjust(CovariateSums.of(values, before(values)), CovariateSums.of(values + 1, before(values)))
    assert reason in found.note
    as_measured(found, values, values + 1)


def test_a_metric_that_does_not_vary_is_left_alone() -> None:
    past = np.random.default_rng(9).normal(0, 1, 500)
    found = adjust(CovariateSums.of(np.full(500, 0.1), past), CovariateSums.of(np.full(500, 0.3), past))
    assert "metric does not vary" in found.note
    assert found.theta == 0.0
    assert found.control.value[0] == pytest.approx(0.3)


def test_an_empty_arm_has_no_value_and_a_reason() -> None:
    past = np.random.default_rng(10).normal(0, 1, 500)
    found = adjust(CovariateSums.of([], []), CovariateSums.of(past, past))
    assert "too few" in found.note
    assert math.isnan(found.candidate.value[0])
    assert found.control.value[0] == pytest.approx(past.mean())


def test_new_users_take_part_without_a_past() -> None:
    """Half of the users are new: with correlation 0.8 the variance falls by half of 0.64, and nothing is biased."""
    rng = np.random.default_rng(11)
    past = rng.normal(50, 1, (2, 4000))
    after = 0.8 * past + rng.normal(0, 0.6, (2, 4000))
    after[1] += 0.2
    known = rng.random((2, 4000)) < 0.5
    # New users are like others, their past was only never seen.
    arms = [CovariateSums.of(y, x * seen, w=seen) for y, x, seen in zip(after, past, known, strict=True)]
    found = adjust(arms[1], arms[0])
    contrast = linear_contrast(found.candidate, found.control)
    assert found.share_without_past == pytest.approx(0.5, abs=0.02)
    assert found.variance_reduction == pytest.approx(0.32, abs=0.03)
    assert abs(contrast.difference[0] - 0.2) < 4 * contrast.standard_error[0]


def test_the_rate_of_errors_holds_when_checked_for_imbalance_at_each_of_many_looks() -> None:
    """Arms that seem to have differed fall back to what was measured, just when that is off by chance: still rare."""
    crossed = 0
    rng = np.random.default_rng(12)
    for _ in range(400):
        past = rng.normal(0, 1, (2, 1000))
        after = 0.9 * past + rng.normal(0, 0.4, (2, 1000))
        crossed += any(crosses(after, past, units) for units in range(50, 1001, 50))
    assert crossed / 400 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)


def crosses(after: Values, past: Values, units: int) -> bool:
    both = adjust(*(CovariateSums.of(after[arm, :units], past[arm, :units]) for arm in (1, 0)))
    contrast = linear_contrast(both.candidate, both.control)
    return bool(anytime.two_sided_log_e(contrast.z, 0.3**2 * contrast.information)[0] >= math.log(20))


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


ROWS = st.lists(st.tuples(st.floats(), st.floats(), st.floats(), st.floats()), max_size=40)


@given(ROWS, ROWS)
def test_nonsense_is_refused_by_name_or_answered(
    candidate: list[tuple[float, ...]], control: list[tuple[float, ...]]
) -> None:
    assert answer(candidate, control) in {"answered", "covariate-not-finite", "covariate-negative"}


SOUND = st.lists(
    st.tuples(st.floats(-1e200, 1e200), st.floats(-1e200, 1e200), st.floats(0, 1e200), st.floats(0, 1e200)),
    min_size=30,
    max_size=60,
)


@given(SOUND, SOUND)
def test_finite_totals_are_always_answered(
    candidate: list[tuple[float, ...]], control: list[tuple[float, ...]]
) -> None:
    assert answer(candidate, control) == "answered"


def answer(candidate: list[tuple[float, ...]], control: list[tuple[float, ...]]) -> str:
    """What comes of two arms of (y, x, d, w); warnings are errors."""
    try:
        arms = [np.array(rows, dtype=np.float64).reshape(-1, 4).T for rows in (candidate, control)]
        found = adjust(*(CovariateSums.of(y, x, d=d, w=w) for y, x, d, w in arms))
    except StatisticsError as error:
        return error.code
    numbers = (found.theta, found.correlation, found.variance_reduction, found.imbalance_p_value)
    return "answered" if all(math.isfinite(number) for number in numbers) else "no number"


@pytest.mark.parametrize(
    "nonsense",
    [
        {"units": -1},
        {"without_past": -1},
        {"without_past": 1001},
        {"totals": (math.nan,) * 4},
        {"totals": (1.0,)},
        {"products": ((-1.0,) * 4,) * 4},
        {"products": ()},
    ],
)
def test_sums_that_no_data_can_have_are_refused(nonsense: dict[str, object]) -> None:
    past = np.random.default_rng(13).normal(0, 1, 1000)
    sound = CovariateSums.of(past, past)
    with pytest.raises(StatisticsError) as error:
        adjust(replace(sound, **nonsense), sound)  # type: ignore[arg-type]
    assert error.value.code == "covariate-sums"


@pytest.mark.parametrize(
    ("y", "treated", "code"),
    [
        ([1.0], [1, 0], "covariate-lengths"),
        ([1.0, math.nan], [1, 0], "covariate-not-finite"),
        ([], [], "covariate-arms"),
        ([1.0] * 4, [1] * 4, "covariate-arms"),
        ([1.0] * 6, [0, 0, 0, 1, 1, 2], "covariate-arms"),
    ],
)
def test_a_regression_asks_for_two_arms_of_numbers(y: list[float], treated: list[int], code: str) -> None:
    with pytest.raises(StatisticsError) as error:
        regression(y, treated, [])
    assert error.value.code == code


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(StatisticsError) as error:
        CovariateSums.of([1.0], [1.0, 2.0])
    assert error.value.code == "covariate-lengths"
