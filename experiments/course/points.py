"""One point of a course, and the JSON that is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from experiments.stats.core.types import Interval, MetricResult, Results

DIGITS = 6
"""Significant digits of what is stored of an effect: a chart shows three."""

Pair = tuple[str, str]
"""A metric and a variant."""


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """Requests and users of one variant until then, and requests that were not answered, where that is known."""

    requests: int
    users: int
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """A relative effect, its interval at a single look and the one that holds at all times; an end may be infinite."""

    effect: float
    interval: Interval
    anytime: Interval


@dataclass(frozen=True, slots=True)
class CourseContent:
    """All that had been seen by one moment."""

    arms: Mapping[str, ArmCounts] = field(default_factory=dict)
    effects: Mapping[Pair, Effect] = field(default_factory=dict)


def effects_of(results: Results) -> dict[Pair, Effect]:
    """The effects relative to the control that an analysis found."""
    return {
        (result.metric, result.variant): Effect(
            result.relative, relative_interval(result) or EVERYTHING, relative_anytime(result) or EVERYTHING
        )
        for result in results.metrics
        if result.relative is not None
    }


EVERYTHING = Interval(-inf, inf)


def relative_interval(result: MetricResult) -> Interval | None:
    """The fixed interval, relative; everything is possible when the ratio has no bounds."""
    if result.interval is None:
        return None
    return result.relative_interval or EVERYTHING


def relative_anytime(result: MetricResult) -> Interval | None:
    """The anytime interval, relative to the control as it was measured."""
    if result.anytime_interval is None or not result.control_value:
        return None
    scale = abs(result.control_value)
    return Interval(result.anytime_interval.low / scale, result.anytime_interval.high / scale)


def write_content(content: CourseContent) -> dict[str, Any]:
    """As JSON, which has no infinity: an open end is null."""
    effects: dict[str, dict[str, list[float | None]]] = {}
    for (metric, variant), each in content.effects.items():
        ends = (each.interval.low, each.interval.high, each.anytime.low, each.anytime.high)
        effects.setdefault(metric, {})[variant] = [_short(number) for number in (each.effect, *ends)]
    arms = {arm: [counts.requests, counts.users, counts.failed] for arm, counts in content.arms.items()}
    return {"arms": arms, "effects": effects}


def read_content(stored: Mapping[str, Any]) -> CourseContent:
    """What was written. Raises `KeyError`, `TypeError` or `ValueError` for what this release cannot read."""
    effects = {
        (metric, variant): _effect(*numbers)
        for metric, by_variant in stored["effects"].items()
        for variant, numbers in by_variant.items()
        if numbers[0] is not None
    }
    return CourseContent({arm: ArmCounts(*counts) for arm, counts in stored["arms"].items()}, effects)


def _effect(effect: float, *ends: float | None) -> Effect:
    low, high, anytime_low, anytime_high = ends
    return Effect(effect, _interval(low, high), _interval(anytime_low, anytime_high))


def _interval(low: float | None, high: float | None) -> Interval:
    return Interval(-inf if low is None else low, inf if high is None else high)


def _short(number: float) -> float | None:
    return float(f"{number:.{DIGITS}g}") if isfinite(number) else None
