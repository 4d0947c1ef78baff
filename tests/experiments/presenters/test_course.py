"""From the points of a course to what came in each step of time, and to an effect over time."""

from datetime import UTC, datetime, timedelta

from experiments.course.points import ArmCounts, CourseContent, Effect
from experiments.course.reads import Point
from experiments.presenters.course import effect_points, effect_rows, traffic_of
from experiments.stats.core.types import Interval

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def point(seconds: float, requests: int, failed: int | None = 0, *, other: int = 0) -> Point:
    effect = Effect(seconds / 1000, Interval(-0.1, 0.1), Interval(-0.2, 0.2))
    arms = {"control": ArmCounts(requests, requests, failed), "better": ArmCounts(other, other, 0)}
    return Point(START + timedelta(seconds=seconds), CourseContent(arms, {("errors", "better"): effect}))


def test_what_came_is_the_difference_of_what_had_come() -> None:
    traffic = traffic_of([point(10, 40, 4), point(20, 100, 34)], START, ["control"])
    assert traffic.each == "10 seconds"
    assert [(step.start, step.end, step.rate, step.failed) for step in traffic.steps] == [
        (0, 10, 40, 0.1),
        (10, 20, 60, 0.5),
    ]
    assert [row.cells for row in traffic.rows] == [(("control", "60", "50 %"),), (("control", "40", "10 %"),)]


def test_steps_are_as_long_as_a_chart_can_show_and_lose_nothing() -> None:
    points = [point(10 * number, 7 * number) for number in range(1, 3_000)]
    traffic = traffic_of(points, START, ["control"])
    assert traffic.each == "15 minutes"
    assert len(traffic.rows) <= 73
    came = sum(int(cells[0][1].replace(",", "")) for cells in (row.cells for row in traffic.rows))
    assert came == 7 * 2_999


def test_users_who_turn_up_in_a_second_arm_make_no_negative_traffic() -> None:
    traffic = traffic_of([point(10, 40, 4), point(20, 30, 2)], START, ["control"])
    assert [(step.rate, step.failed) for step in traffic.steps] == [(40, 0.1), (0, None)]


def test_failures_that_were_not_counted_are_not_known() -> None:
    traffic = traffic_of([point(10, 40, None), point(20, 60, 5)], START, ["control"])
    assert [step.failed for step in traffic.steps] == [None, None]
    assert [row.cells[0][2] for row in traffic.rows] == ["not known", "not known"]


def test_nothing_yet_is_nothing() -> None:
    assert traffic_of([], START, ["control"]).steps == ()
    assert effect_points([], START, ("errors", "better")) == []


def test_an_effect_over_days_is_thinned_out_evenly_and_ends_with_the_newest() -> None:
    points = [point(60 * number, 0) for number in range(1, 2_000)]
    shown = effect_points(points, START, ("errors", "better"))
    assert 100 < len(shown) <= 122
    assert (shown[-1].seconds, shown[-1].effect) == (60 * 1_999, 60 * 1_999 / 1000)
    rows = effect_rows(shown, START)
    assert len(rows) <= 24
    assert rows[0].at == START + timedelta(minutes=1_999)
    assert (rows[0].interval, rows[0].anytime) == ("\N{MINUS SIGN}10.0 to +10.0 %", "\N{MINUS SIGN}20.0 to +20.0 %")
