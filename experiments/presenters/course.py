"""An experiment's course as its page shows it: the effect of one metric, and traffic and failures by variant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from controlplane.web.shares import percent
from experiments.charts.effect_over_time import EffectPoint
from experiments.charts.traffic_over_time import TrafficStep
from experiments.course.points import ArmCounts, CourseContent, Pair
from experiments.course.reads import Point
from experiments.presenters.numbers import change, change_interval

STEPS = (
    (10, "10 seconds"),
    (60, "minute"),
    (300, "5 minutes"),
    (900, "15 minutes"),
    (3_600, "hour"),
    (21_600, "6 hours"),
    (86_400, "day"),
    (604_800, "week"),
)
MOST_STEPS = 72
POINTS_SHOWN = 120
ROWS_SHOWN = 24
NOTHING = ArmCounts(0, 0, 0)


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One moment of the effect in words."""

    at: datetime
    effect: str
    interval: str
    anytime: str


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """One step of time in words: by variant its requests and the share of them that failed."""

    until: datetime
    cells: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Traffic by variant in steps of time; `each` names a step. Empty before the first."""

    each: str
    steps: tuple[TrafficStep, ...]
    rows: tuple[TrafficRow, ...]


def effect_points(points: Sequence[Point], started_at: datetime, pair: Pair) -> list[EffectPoint]:
    """One metric's relative effect at each point that has it, evenly thinned out to what a chart can show."""
    known = [point for point in points if pair in point.content.effects]
    step = _span(known, started_at) / POINTS_SHOWN
    return [
        EffectPoint(_seconds(point, started_at), effect.effect, effect.interval, effect.anytime)
        for point in _each_step(known, started_at, step)
        for effect in (point.content.effects[pair],)
    ]


def effect_rows(points: Sequence[EffectPoint], started_at: datetime) -> list[EffectRow]:
    """Some of them in words, the newest first."""
    shown = points[:: -max(1, -(-len(points) // ROWS_SHOWN))]
    return [
        EffectRow(
            started_at + timedelta(seconds=point.seconds),
            change(point.effect),
            change_interval(point.interval),
            change_interval(point.anytime),
        )
        for point in shown
    ]


def traffic_of(points: Sequence[Point], started_at: datetime, variants: Sequence[str]) -> Traffic:
    """What came to each variant from one step to the next."""
    span = _span(points, started_at)
    seconds, each = next((step for step in STEPS if span <= MOST_STEPS * step[0]), STEPS[-1])
    shown = [Point(started_at, CourseContent()), *_each_step(points, started_at, seconds)]
    spans = [(before, after) for before, after in pairwise(shown) if after.at > before.at]
    steps = [_steps(before, after, started_at, variants, seconds) for before, after in spans]
    rows = [_row(before, after, variants) for before, after in spans]
    return Traffic(each, tuple(step for each_span in steps for step in each_span), tuple(rows[::-1]))


def _steps(
    before: Point, after: Point, started_at: datetime, variants: Sequence[str], seconds: int
) -> list[TrafficStep]:
    lasted = (after.at - before.at).total_seconds()
    found = []
    for variant in variants:
        requests, failed = _between(before, after, variant)
        share = failed / requests if requests and failed is not None else None
        ends = _seconds(before, started_at), _seconds(after, started_at)
        found.append(TrafficStep(variant, *ends, requests * seconds / lasted, share))
    return found


def _row(before: Point, after: Point, variants: Sequence[str]) -> TrafficRow:
    return TrafficRow(after.at, tuple((variant, *_words(*_between(before, after, variant))) for variant in variants))


def _words(requests: int, failed: int | None) -> tuple[str, str]:
    if failed is None:
        return f"{requests:,}", "not known"
    return f"{requests:,}", percent(failed / requests) if requests else "none"


def _between(before: Point, after: Point, variant: str) -> tuple[int, int | None]:
    """Requests, and those that failed; a user who turned up in a second arm takes theirs away."""
    first, last = (point.content.arms.get(variant, NOTHING) for point in (before, after))
    requests = max(0, last.requests - first.requests)
    if last.failed is None or first.failed is None:
        return requests, None
    return requests, min(requests, max(0, last.failed - first.failed))


def _each_step(points: Sequence[Point], started_at: datetime, seconds: float) -> list[Point]:
    """Of each step of so many seconds the last point."""
    last = {int(_seconds(point, started_at) // seconds) if seconds else 0: point for point in points}
    return list(last.values())


def _span(points: Sequence[Point], started_at: datetime) -> float:
    return _seconds(points[-1], started_at) if points else 0.0


def _seconds(point: Point, started_at: datetime) -> float:
    return max(0.0, (point.at - started_at).total_seconds())
