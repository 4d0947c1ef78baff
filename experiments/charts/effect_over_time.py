"""Effect over time: one metric's relative effect at every analysis, its two bands, and the ramp behind them.

The dark band is the interval at a single look, the light one holds at all times; the stages of the ramp are shaded
in turn and say their coverage. What the plan accepts as harm is hatched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.charts.render import CALM, EDGE, HATCHED, INK, MUTED, percent_labels
from experiments.stats.core.types import Interval

HEIGHT = 230
NARROWEST = 0.02
WIDEST = 3.0
UNITS = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "hours"), (2 * 60, 60, "minutes"), (0, 1, "seconds"))


@dataclass(frozen=True, slots=True)
class EffectPoint:
    """One analysis: seconds since the start, and effects relative to the control."""

    seconds: float
    effect: float
    interval: Interval | None
    anytime: Interval | None


@dataclass(frozen=True, slots=True)
class StageSpan:
    """When a stage was live, in seconds since the start, and its coverage in words."""

    start: float
    end: float
    label: str


def effect_over_time(
    points: Sequence[EffectPoint], stages: Sequence[StageSpan], accepted: Interval | None, *, width: int
) -> dict[str, Any]:
    """The Vega-Lite spec. `points` are in order of time, at least one; `accepted` reaches from zero to the margin."""
    limit = _limit(points, accepted)
    last = max([points[-1].seconds, *(stage.end for stage in stages), 1.0])
    size, unit = next((size, unit) for least, size, unit in UNITS if last >= least)
    layers = [
        _ramp(stages, size),
        _band("wing_low", "wing_high", 0.16),
        _band("low", "high", 0.34),
        {"mark": {"type": "line", "color": INK, "strokeWidth": 2, "clip": True}, "encoding": _effect()},
        _zero_line(),
        _stage_names(stages, size),
    ]
    if accepted is not None:
        layers.insert(1, _accepted(accepted, limit))
    if len(points) == 1:
        layers.append({"mark": {"type": "point", "filled": True, "color": INK, "size": 60}, "encoding": _effect()})
    return {
        "width": width,
        "height": HEIGHT,
        "padding": 6,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": [_values(point, size, limit) for point in points]},
        "encoding": {"x": _across(last / size, unit), "y": _up(limit)},
        "layer": layers,
    }


def _limit(points: Sequence[EffectPoint], accepted: Interval | None) -> float:
    """Half the height: the later half of the points decides, for early intervals are wide without meaning much."""
    later = points[len(points) // 2 :]
    spans = [point.interval for point in later] + [point.anytime for point in points[-1:]] + [accepted]
    ends = [end for span in spans if span for end in (abs(span.low), abs(span.high)) if end < WIDEST]
    effects = [abs(point.effect) for point in later]
    return min(max([NARROWEST, *(1.2 * end for end in ends + effects)]), WIDEST)


def _values(point: EffectPoint, size: int, limit: float) -> dict[str, Any]:
    low, high = _clipped(point.interval, limit)
    wing_low, wing_high = _clipped(point.anytime, limit)
    return {
        "time": point.seconds / size,
        "effect": point.effect,
        "low": low,
        "high": high,
        "wing_low": wing_low,
        "wing_high": wing_high,
    }


def _clipped(interval: Interval | None, limit: float) -> tuple[float, float]:
    """Both ends within the picture; unknown means everything is possible."""
    if interval is None:
        return -limit, limit
    return min(max(interval.low, -limit), limit), max(min(interval.high, limit), -limit)


def _across(last: float, unit: str) -> dict[str, Any]:
    scale = {"domain": [0, last], "nice": False, "zero": False}
    axis = {"title": f"{unit} since the start", "grid": False, "tickCount": 6}
    return {"field": "time", "type": "quantitative", "scale": scale, "axis": axis}


def _up(limit: float) -> dict[str, Any]:
    scale = {"domain": [-limit, limit], "nice": False, "zero": False}
    axis = {"title": None, "tickCount": 5, "domain": False, "ticks": False, **percent_labels(limit)}
    return {"type": "quantitative", "scale": scale, "axis": axis}


def _zero_line() -> dict[str, Any]:
    encoding = {"x": {"value": 0}, "x2": {"value": "width"}, "y": {"datum": 0, "type": "quantitative"}}
    return {"data": {"values": [{}]}, "mark": {"type": "rule", "color": EDGE, "strokeWidth": 1.5}, "encoding": encoding}


def _effect() -> dict[str, Any]:
    return {"y": {"field": "effect", "type": "quantitative"}}


def _band(low: str, high: str, opacity: float) -> dict[str, Any]:
    mark = {"type": "area", "color": CALM, "opacity": opacity, "clip": True, "line": False}
    return {"mark": mark, "encoding": {"y": {"field": low, "type": "quantitative"}, "y2": {"field": high}}}


def _accepted(accepted: Interval, limit: float) -> dict[str, Any]:
    low, high = _clipped(accepted, limit)
    return {
        "data": {"values": [{"low": low, "high": high}]},
        "mark": {"type": "rect", "fill": HATCHED, "opacity": 0.5},
        "encoding": {"x": {"value": 0}, "x2": {"value": "width"}, "y": {"field": "low"}, "y2": {"field": "high"}},
    }


def _ramp(stages: Sequence[StageSpan], size: int) -> dict[str, Any]:
    shaded = [{"start": stage.start / size, "end": stage.end / size} for stage in stages[1::2]]
    return {
        "data": {"values": shaded},
        "mark": {"type": "rect", "color": EDGE, "opacity": 0.12},
        "encoding": {
            "x": {"field": "start", "type": "quantitative"},
            "x2": {"field": "end"},
            "y": {"value": 0},
            "y2": {"value": "height"},
        },
    }


def _stage_names(stages: Sequence[StageSpan], size: int) -> dict[str, Any]:
    names = [{"start": stage.start / size, "label": stage.label} for stage in stages]
    mark = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 4, "fontSize": 12, "color": MUTED}
    encoding = {"x": {"field": "start", "type": "quantitative"}, "y": {"value": 0}, "text": {"field": "label"}}
    return {"data": {"values": names}, "mark": mark, "encoding": encoding}
