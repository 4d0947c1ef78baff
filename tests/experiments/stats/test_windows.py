"""Conversion and retention count a unit once its window has closed, and only what lies in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import UnitSums
from experiments.stats.metrics.windows import Window, window_totals

DAY = 86_400.0
WEEK_TWO = Window(7 * DAY, 14 * DAY)


def test_conversion_counts_users_with_any_event_in_time() -> None:
    totals = window_totals([0, 0, 0], [0, 0, 1, 2], [10, 20, 3600, 90_000], Window(0, DAY), now=2 * DAY)
    assert totals.proportion() == UnitSums.of([1, 1, 0])
    assert totals.mean() == UnitSums.of([2, 1, 0])


def test_users_of_today_do_not_look_as_if_they_had_not_come_back() -> None:
    """All users come back on day 8; a third of them has not been here for that long."""
    first = np.array([0.0, 1.0, 9.0]) * DAY
    totals = window_totals(first, [0, 1], first[:2] + 8 * DAY, WEEK_TWO, now=16 * DAY)
    assert totals.complete.tolist() == [True, True, False]
    assert totals.proportion() == UnitSums.of([1, 1])


def test_a_slower_arm_is_not_punished_for_late_exposure() -> None:
    """Both arms convert alike, but one is a week younger: of complete users the same share converts."""
    rng = np.random.default_rng(1)
    shares, raw = [], []
    for oldest in (14.0, 7.0):
        first = (20.0 - rng.uniform(0, oldest, 4000)) * DAY
        delays = rng.exponential(2 * DAY, 4000)
        events = first + delays
        totals = window_totals(first, np.arange(4000), events, Window(0, 5 * DAY), now=20 * DAY)
        sums = totals.proportion()
        shares.append(sums.sum_y / sums.units)
        raw.append(float(np.mean(events <= 20 * DAY)))
    assert shares[0] == pytest.approx(shares[1], abs=0.03)
    assert raw[0] - raw[1] > 0.1


def test_the_ends_of_a_window_belong_to_the_next_one() -> None:
    totals = window_totals([0, 0], [0, 1], [7 * DAY, 14 * DAY], WEEK_TWO, now=30 * DAY)
    assert totals.events.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("units", "times", "window", "code"),
    [
        ([0], [1.0, 2.0], Window(0, 1), "events-lengths"),
        ([5], [1.0], Window(0, 1), "event-unit-unknown"),
        ([-1], [1.0], Window(0, 1), "event-unit-unknown"),
        ([0], [float("nan")], Window(0, 1), "times-not-finite"),
        ([0], [1.0], Window(2, 1), "window-range"),
        ([0], [1.0], Window(-1, 1), "window-range"),
    ],
)
def test_what_cannot_be_has_a_name(units: list[int], times: list[float], window: Window, code: str) -> None:
    with pytest.raises(StatisticsError) as error:
        window_totals([0.0, 0.0], units, times, window, now=10.0)
    assert error.value.code == code


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.floats(0, 1e6)), max_size=30),
    st.floats(0, 1e6),
)
def test_a_later_moment_only_adds(first: list[float], events: list[tuple[int, float]], now: float) -> None:
    known = [(unit % len(first), time) for unit, time in events]
    units, times = [unit for unit, _ in known], [time for _, time in known]
    early = window_totals(first, units, times, Window(0, 1000.0), now=now)
    late = window_totals(first, units, times, Window(0, 1000.0), now=now + 1000.0)
    assert np.all(late.complete >= early.complete)
    assert np.all(late.events >= early.events)
