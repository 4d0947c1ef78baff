"""As points age fewer are kept: the last of each step of time, which is the longer the older they are."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from experiments.course.ageing import passed_over

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = timedelta(hours=1)


def course(tick: timedelta, ticks: int) -> list[tuple[int, datetime]]:
    """What is left after so many ticks, each of which left a point."""
    kept: list[tuple[int, datetime]] = []
    for number in range(ticks):
        kept.append((number, START + number * tick))
        gone = set(passed_over(kept, kept[-1][1]))
        kept = [point for point in kept if point[0] not in gone]
    return kept


@pytest.mark.parametrize("seconds", [1, 10, 3600])
def test_ten_thousand_ticks_leave_a_bounded_course(seconds: int) -> None:
    """60 of ten minutes, 170 of three hours, 69 of three days, 363 of a year, one a week, and one at each border."""
    left = course(timedelta(seconds=seconds), 10_000)
    weeks = 10_000 * seconds / (7 * 86_400)
    assert len(left) <= 60 + 170 + 69 + 363 + 5 + weeks
    assert left[-1][0] == 9_999


@pytest.mark.parametrize(
    ("tick", "youngest", "oldest", "gap"),
    [
        (timedelta(seconds=10), timedelta(0), timedelta(minutes=9), timedelta(seconds=10)),
        (timedelta(seconds=10), timedelta(minutes=12), timedelta(minutes=178), timedelta(minutes=1)),
        (timedelta(minutes=5), 4 * HOURS, 70 * HOURS, HOURS),
        (timedelta(minutes=5), 97 * HOURS, 140 * HOURS, 24 * HOURS),
    ],
)
def test_each_look_then_each_minute_then_each_hour_then_each_day(
    tick: timedelta, youngest: timedelta, oldest: timedelta, gap: timedelta
) -> None:
    left = [at for _, at in course(tick, 2_000)]
    gaps = [(later - earlier, left[-1] - later) for earlier, later in pairwise(left)]
    assert {each for each, age in gaps if youngest <= age <= oldest} == {gap}


def test_what_is_kept_does_not_hang_on_how_often_it_is_thinned_out() -> None:
    points = [(number, START + timedelta(seconds=10 * number)) for number in range(1_500)]
    gone = set(passed_over(points, points[-1][1]))
    assert [point for point in points if point[0] not in gone] == course(timedelta(seconds=10), 1_500)
