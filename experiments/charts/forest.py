"""Forest plot: every metric's relative effect with its intervals, one row each, on one axis.

Solid is the interval at a single look, thin is the one that holds at all times, hatched is the harm that the plan
accepts. What lies beyond the axis ends in an arrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.charts.render import BAD, CALM, EDGE, GOOD, HATCHED, INK, LINE, MUTED, percent_labels
from experiments.stats.core.types import Interval, Verdict

ROW_HEIGHT = 50
ROOM_FOR_INTERVALS = 500
WIDEST = 1.0
NARROWEST = 0.02
COLOURS = {Verdict.PASS: GOOD, Verdict.FAIL: BAD, Verdict.INSUFFICIENT: CALM}


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One metric of one candidate; all numbers are relative to the control, so 0.1 is 10 % more.

    `accepted` reaches from zero to the margin on the side of harm; None for metrics without a margin.
    """

    label: str
    effect: float
    interval: Interval | None
    anytime: Interval | None
    accepted: Interval | None
    verdict: Verdict
    effect_text: str
    interval_text: str


def forest_plot(rows: Sequence[ForestRow], *, width: int) -> dict[str, Any]:
    """The Vega-Lite spec of the plot, `width` pixels wide."""
    limit = _limit(rows)
    return {
        "width": width,
        "height": ROW_HEIGHT * len(rows),
        "padding": 6,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": [_values(row, index, limit, width) for index, row in enumerate(rows)]},
        "encoding": {"y": _down("middle", len(rows))},
        "layer": [
            _accepted(limit, len(rows)),
            _zero_line(len(rows)),
            _span("wing_low", "wing_high", {"strokeWidth": 1.25, "opacity": 0.9}),
            _span("low", "high", {"strokeWidth": 5, "strokeCap": "butt"}),
            _point("effect", {"shape": "diamond", "size": 130, "fill": INK}),
            _point("off_left", {"shape": "triangle-left", "size": 60}),
            _point("off_right", {"shape": "triangle-right", "size": 60}),
            _text("label", {"x": 0, "align": "left", "fontWeight": 600}),
            _text("text", {"x": "width", "align": "right", "color": MUTED}),
        ],
    }


def _limit(rows: Sequence[ForestRow]) -> float:
    """Half the axis: wide enough for effects, solid intervals and margins, but never above 100 %."""
    ends = [abs(row.effect) for row in rows]
    for interval in [row.interval for row in rows] + [row.accepted for row in rows]:
        if interval is not None:
            ends += [abs(interval.low), abs(interval.high)]
    return min(max([NARROWEST, *(end * 1.15 for end in ends)]), WIDEST)


def _values(row: ForestRow, index: int, limit: float, width: int) -> dict[str, Any]:
    ends = [end for span in (row.interval, row.anytime) if span for end in (span.low, span.high)] + [row.effect]
    low, high = _clipped(row.interval, limit)
    wing_low, wing_high = _clipped(row.anytime, limit)
    accepted_low, accepted_high = _clipped(row.accepted, limit)
    return {
        "label": row.label,
        "text": f"{row.effect_text} {row.interval_text}" if width >= ROOM_FOR_INTERVALS else row.effect_text,
        "colour": COLOURS[row.verdict],
        "middle": index + 0.66,
        "top": index + 0.44,
        "bottom": index + 0.88,
        "words": index + 0.22,
        "effect": row.effect if abs(row.effect) <= limit else None,
        "low": low,
        "high": high,
        "wing_low": wing_low,
        "wing_high": wing_high,
        "accepted_low": accepted_low,
        "accepted_high": accepted_high,
        "off_left": -limit if min(ends) < -limit else None,
        "off_right": limit if max(ends) > limit else None,
    }


def _clipped(interval: Interval | None, limit: float) -> tuple[float | None, float | None]:
    """Both ends within the axis; nothing when the interval lies beyond it altogether."""
    if interval is None or interval.low > limit or interval.high < -limit:
        return None, None
    return max(interval.low, -limit), min(interval.high, limit)


def _down(field: str, count: int) -> dict[str, Any]:
    scale = {"domain": [0, count], "reverse": True, "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": None}


def _across(field: str, limit: float) -> dict[str, Any]:
    axis = {"title": "Candidate against control", "tickCount": 5, "domain": False, "ticks": False}
    scale = {"domain": [-limit, limit], "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": {**axis, **percent_labels(limit)}}


def _zero_line(count: int) -> dict[str, Any]:
    """Beside the intervals alone, so that it crosses no text."""
    encoding = {"x": {"datum": 0, "type": "quantitative"}, "y": _down("top", count), "y2": {"field": "bottom"}}
    return {"mark": {"type": "rule", "color": EDGE, "strokeWidth": 1.5}, "encoding": encoding}


def _accepted(limit: float, count: int) -> dict[str, Any]:
    return {
        "mark": {"type": "rect", "fill": HATCHED, "stroke": LINE},
        "encoding": {
            "x": _across("accepted_low", limit),
            "x2": {"field": "accepted_high"},
            "y": _down("top", count),
            "y2": {"field": "bottom"},
        },
    }


def _span(low: str, high: str, style: dict[str, Any]) -> dict[str, Any]:
    encoding = {"x": {"field": low, "type": "quantitative"}, "x2": {"field": high}, "color": _colour()}
    return {"mark": {"type": "rule", **style}, "encoding": encoding}


def _point(field: str, style: dict[str, Any]) -> dict[str, Any]:
    mark = {"type": "point", "filled": True, "opacity": 1, **style}
    return {"mark": mark, "encoding": {"x": {"field": field, "type": "quantitative"}, "color": _colour()}}


def _text(field: str, style: dict[str, Any]) -> dict[str, Any]:
    mark = {"type": "text", "baseline": "middle", **{name: style[name] for name in style if name != "x"}}
    encoding = {
        "text": {"field": field},
        "x": {"value": style["x"]},
        "y": {"field": "words", "type": "quantitative"},
    }
    return {"mark": mark, "encoding": encoding}


def _colour() -> dict[str, Any]:
    return {"field": "colour", "type": "nominal", "scale": None}
