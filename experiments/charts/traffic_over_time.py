"""Traffic over time: requests by variant in each step of time, and below it the share of them that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.charts.effect_over_time import UNITS
from experiments.charts.render import CALM, EDGE, INK

HEIGHTS = {"rate": 150, "failed": 90}
ROOM_FOR_LABELS = 52
CONTROL_DASH, CANDIDATE_DASHES = [1, 0], ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])


@dataclass(frozen=True, slots=True)
class TrafficStep:
    """One variant's traffic from one moment to another, in seconds since the start.

    `rate` is in requests a step of the whole chart; `failed` is a share, None where it is not known.
    """

    variant: str
    start: float
    end: float
    rate: float
    failed: float | None


def traffic_over_time(
    steps: Sequence[TrafficStep], variants: Sequence[str], each: str, *, width: int
) -> dict[str, Any]:
    """The Vega-Lite spec; `variants` begin with the control, `each` names a step, like `minute`. At least one step."""
    last = max(step.end for step in steps)
    size, unit = next((size, unit) for least, size, unit in UNITS if last >= least)
    highest = max([0.02, *(1.1 * step.failed for step in steps if step.failed is not None)])
    across = {"domain": [0, last / size], "nice": False, "zero": False}
    colour = _scaled("color", variants, [EDGE, *[CALM] * len(variants)])
    dash = _scaled("strokeDash", variants, [CONTROL_DASH, *_dashes(len(variants) - 1)])
    return {
        "padding": 6,
        "spacing": 14,
        "data": {"values": [value for step in steps for value in _values(step, size)]},
        "vconcat": [
            _panel("rate", f"requests each {each}", across, "", width, {**colour, **dash}),
            _panel("failed", "failed, %", across, f"{unit} since the start", width, {**colour, **dash}, 100 * highest),
        ],
    }


def _dashes(candidates: int) -> list[list[int]]:
    return [CANDIDATE_DASHES[number % len(CANDIDATE_DASHES)] for number in range(candidates)]


def _values(step: TrafficStep, size: int) -> list[dict[str, Any]]:
    """Both ends of a step at one height, so that the lines are stairs."""
    failed = None if step.failed is None else 100 * step.failed
    same = {"variant": step.variant, "rate": step.rate, "failed": failed}
    return [{**same, "time": step.start / size}, {**same, "time": step.end / size}]


def _scaled(channel: str, variants: Sequence[str], values: Sequence[object]) -> dict[str, Any]:
    scale = {"domain": list(variants), "range": list(values[: len(variants)])}
    legend = {"title": None, "orient": "top", "labelColor": INK, "labelFontSize": 12, "symbolType": "stroke"}
    return {channel: {"field": "variant", "type": "nominal", "scale": scale, "legend": legend}}


def _panel(
    field: str,
    title: str,
    across: dict[str, Any],
    below: str,
    width: int,
    lines: dict[str, Any],
    highest: float | None = None,
) -> dict[str, Any]:
    axis = {"tickCount": 4, "domain": False, "ticks": False, "title": title, "titleAnchor": "end", "format": "~s"}
    placed = {"titleAngle": 0, "titleAlign": "left", "titleX": 0, "titleY": -8, "minExtent": 44, "maxExtent": 44}
    scale = {"zero": True, "nice": True} if highest is None else {"domain": [0, highest], "nice": True}
    time = {"title": below or None, "grid": False, "tickCount": 6, "labels": bool(below)}
    return {
        "width": width - ROOM_FOR_LABELS - 12,
        "height": HEIGHTS[field],
        "mark": {"type": "line", "strokeWidth": 2, "clip": True},
        "encoding": {
            "x": {"field": "time", "type": "quantitative", "scale": across, "axis": time},
            "y": {"field": field, "type": "quantitative", "scale": scale, "axis": {**axis, **placed}},
            **lines,
        },
    }
