"""A metric that decays against its own past is alarmed, and noise is not."""

import math
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import Direction, MetricType, UnitSums
from experiments.stats.drift import decay, trend
from experiments.stats.metrics.classification import outcomes
from tests.experiments.stats.samples import share, sums


def labelled_week(rng: np.random.Generator, users: int, rate: float) -> UnitSums:
    """F1 of a week of labelled requests, where each true and each called positive is right with this probability."""
    units = np.repeat(np.arange(users), rng.geometric(0.25, users))
    actual = rng.random(units.size) < 0.4
    kept = rng.random(units.size) < rate
    false_alarm = rng.random(units.size) < 0.4 * (1.0 - rate) / 0.6
    return outcomes(actual, np.where(actual, kept, false_alarm), units).sums(MetricType.F1)


def test_a_classifier_whose_f1_falls_in_production_is_alarmed() -> None:
    """The case of a fraud model: .95 when it was measured, .67 some weeks later, and nobody had looked."""
    rng = np.random.default_rng(1)
    before, now = labelled_week(rng, 400, 0.95), labelled_week(rng, 400, 0.67)
    found = decay(before, now)
    assert found.reference_value == pytest.approx(0.95, abs=0.03)
    assert found.present_value == pytest.approx(0.67, abs=0.04)
    assert found.alarm
    assert found.interval is not None
    assert found.interval.low < 0.67 / 0.95 - 1.0 < found.interval.high < 0.0


def test_a_slow_fall_is_seen_by_the_trend_before_any_week_alarms() -> None:
    rng = np.random.default_rng(2)
    weeks = [labelled_week(rng, 1500, rate) for rate in np.linspace(0.95, 0.88, 8)]
    assert not any(decay(before, now).alarm for before, now in pairwise(weeks))
    found = trend(weeks, np.arange(8))
    assert found.falling
    assert found.slope == pytest.approx(-0.01, abs=0.004)


def test_weeks_that_are_alike_are_not_alarmed() -> None:
    rng, runs = np.random.default_rng(3), 300
    weeks = [labelled_week(rng, 60, 0.9) for _ in range(2 * runs)]
    alarms = [decay(before, now).alarm for before, now in zip(weeks[::2], weeks[1::2], strict=True)]
    assert np.mean(alarms) <= 0.025 + 4.0 * math.sqrt(0.025 * 0.975 / runs)
    strict = [decay(a, b, largest_fall=0.0).alarm for a, b in zip(weeks[::2], weeks[1::2], strict=True)]
    assert 0 < sum(strict) <= runs * (0.025 + 4.0 * math.sqrt(0.025 * 0.975 / runs))


def test_windows_without_a_trend_are_rarely_called_falling() -> None:
    rng, runs = np.random.default_rng(4), 1000
    falling = 0
    for counts in rng.binomial(400, 0.9, (runs, 6)):
        falling += trend([share(400, int(count)) for count in counts], np.arange(6)).falling
    assert falling / runs <= 0.025 + 4.0 * math.sqrt(0.025 * 0.975 / runs)


def test_a_fall_within_the_accepted_one_or_within_noise_is_no_alarm() -> None:
    assert not decay(share(100_000, 95_000), share(100_000, 92_000)).alarm
    assert decay(share(100_000, 95_000), share(100_000, 92_000), largest_fall=0.02).alarm
    assert not decay(share(60, 57), share(60, 52)).alarm


def test_what_should_be_low_is_alarmed_when_it_rises() -> None:
    before, now = share(5000, 250), share(5000, 400)
    assert decay(before, now, direction=Direction.DECREASE).alarm
    assert not decay(now, before, direction=Direction.DECREASE).alarm
    assert not decay(before, now).alarm
    assert trend([share(900, n) for n in (50, 90, 130, 170)], range(4), direction=Direction.DECREASE).falling


@pytest.mark.parametrize(
    ("reference", "present", "note"),
    [
        (share(20, 19), share(500, 400), "fewer than 30 units"),
        (UnitSums(50, 0.0, 0.0, 0.0, 0.0, 0.0), share(500, 400), "denominator is zero"),
        (share(500, 0), share(500, 400), "reference is zero"),
        (share(400, 1), share(400, 0), "too uncertain"),
    ],
)
def test_what_cannot_be_compared_is_noted(reference: UnitSums, present: UnitSums, note: str) -> None:
    found = decay(reference, present)
    assert note in found.note
    assert (found.alarm, found.interval) == (False, None)


def test_windows_without_errors_are_certain_and_equal() -> None:
    found = decay(share(500, 500), share(700, 700))
    assert found.interval is not None
    assert (found.change, found.interval.low, found.interval.high, found.alarm) == (0.0, 0.0, 0.0, False)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_a_trend_does_not_depend_on_the_unit_of_the_metric(unit: float) -> None:
    rng = np.random.default_rng(5)
    windows = [sums(rng.normal(mean, 1.0, 400) * unit) for mean in (5.0, 4.8, 4.6, 4.4, 4.2, 4.0)]
    found = trend(windows, range(6))
    assert found.falling
    assert found.slope == pytest.approx(-0.2 * unit, abs=0.1 * unit)


def test_windows_whose_units_all_agree_have_the_trend_of_their_values() -> None:
    assert trend([share(100, 100)] * 4, range(4)).slope == 0.0
    assert not trend([share(100, 100)] * 4, range(4)).falling
    steps = [sums(np.full(100, value)) for value in (9.0, 8.0, 7.0, 6.1)]
    assert trend(steps, range(4)).falling


def test_a_trend_needs_three_windows() -> None:
    assert "three windows" in trend([share(500, 400)] * 2, [0, 1]).note
    assert "three windows" in trend([share(500, 400), share(500, 400), share(9, 4)], [0, 1, 2]).note
    assert "three windows" in trend([share(500, 400)] * 3, [1, 1, 1]).note


@pytest.mark.parametrize("times", [[0, 1], [0, 1, math.nan]])
def test_times_that_do_not_fit_are_refused(times: list[float]) -> None:
    with pytest.raises(StatisticsError) as caught:
        trend([share(500, 400)] * 3, times)
    assert caught.value.code == "times-invalid"


@pytest.mark.parametrize("fall", [-0.1, math.nan, math.inf])
def test_an_impossible_largest_fall_is_refused(fall: float) -> None:
    with pytest.raises(StatisticsError) as caught:
        decay(share(500, 400), share(500, 400), largest_fall=fall)
    assert caught.value.code == "fall-range"


numbers = st.one_of(st.floats(), st.integers(0, 100))
broken = st.builds(UnitSums, st.integers(-5, 1000), numbers, numbers, numbers, numbers, numbers)
sizes = st.sampled_from([1e-100, 1e-9, 1.0, 1e9, 1e100])
true = st.builds(
    lambda some, size: sums(np.repeat(np.array(some) * size, 40)), st.lists(st.integers(-3, 3), max_size=3), sizes
)


@given(st.one_of(true, broken), st.one_of(true, broken), st.one_of(true, broken))
def test_any_windows_are_judged_or_refused(first: UnitSums, second: UnitSums, third: UnitSums) -> None:
    with suppress(StatisticsError):
        found = decay(first, second)
        assert (found.interval is None) == bool(found.note)
    with suppress(StatisticsError):
        line = trend([first, second, third], [0.0, 1.0, 2.5])
        assert (line.interval is None) == bool(line.note)
