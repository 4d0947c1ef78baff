"""Vega-Lite specs of the pictures."""

from typing import Any

from bench.pictures.data import Rows

CALM, BAD, MUTED, GOOD, EDGE = "#2563c9", "#c2410c", "#5b6472", "#15803d", "#9aa3b2"
COLOURS = [CALM, BAD, MUTED]
SIZE = {"width": 520, "height": 240}
FONT = {
    "aria": False,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"grid": False, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500},
}
PER_CENT = {"format": ".0%"}
Spec = dict[str, Any]


def lines(
    rows: Rows, title: str, x: str, y: str, *, subtitle: str | list[str] = "", points: bool = False, **axis: Any
) -> Spec:
    """One line a name; `axis` are options of the vertical one."""
    return {
        **frame(title, subtitle),
        "data": {"values": rows},
        "mark": {"type": "line", "point": points, "strokeWidth": 2, "clip": True},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": x},
            "y": {"field": "y", "type": "quantitative", "title": y, **axis},
            "color": {
                "field": "line",
                "title": None,
                "sort": None,
                "scale": {"range": COLOURS},
                "legend": {"orient": "bottom", "labelFontSize": 12, "labelLimit": 300},
            },
        },
    }


def watched(run: Rows, alarms: Rows, title: str, subtitle: str) -> Spec:
    """Left one run with both of its intervals, right how many of all runs have raised an alarm."""
    chances = lines(alarms, "Runs that ever raised an alarm", "tick", "share of runs", axis=PER_CENT)
    color = chances["encoding"]["color"]
    color["scale"] = {"range": [BAD, CALM]}
    color["legend"] = {**color["legend"], "orient": "none", "legendX": 545, "legendY": 110}
    panels = [
        {**_bands(run), "width": 380, "height": 220},
        {**{name: chances[name] for name in ("data", "mark", "encoding", "title")}, "width": 260, "height": 220},
    ]
    panels[1]["title"] = {"text": subtitle, "anchor": "start", "fontSize": 12, "fontWeight": "normal"}
    outer = {name: part for name, part in frame(title).items() if name not in SIZE}
    return {**outer, "hconcat": panels, "spacing": 30}


def _bands(run: Rows) -> Spec:
    edge = {"y": {"datum": 0, "type": "quantitative"}}
    return {
        "title": {
            "text": "one run: light band for all times, dark band ordinary; orange where it leaves zero out",
            "anchor": "start",
            "fontSize": 12,
            "fontWeight": "normal",
        },
        "data": {"values": run},
        "encoding": {"x": {"field": "tick", "type": "quantitative", "title": "tick"}},
        "layer": [
            _area("all_low", "all_high", 0.18),
            _area("low", "high", 0.38),
            {"mark": {"type": "rule", "color": EDGE, "strokeWidth": 1.5}, "encoding": edge},
            _curve({"color": MUTED}),
            {
                "transform": [{"filter": "datum.alarm"}],
                "mark": {"type": "point", "filled": True, "color": BAD, "size": 14, "opacity": 1},
                "encoding": {"y": {"field": "effect", "type": "quantitative"}},
            },
        ],
    }


def _area(low: str, high: str, opacity: float) -> Spec:
    scale = {"domain": [-0.06, 0.06], "nice": False}
    across = {"field": low, "type": "quantitative", "title": "difference of the share of failed users", "scale": scale}
    mark = {"type": "area", "color": CALM, "opacity": opacity, "clip": True}
    return {"mark": mark, "encoding": {"y": {**across, "axis": {"format": "+.0%"}}, "y2": {"field": high}}}


def _curve(style: Spec) -> Spec:
    mark = {"type": "line", "strokeWidth": 1.5, "clip": True, **style}
    return {"mark": mark, "encoding": {"y": {"field": "effect", "type": "quantitative"}}}


def spans(rows: Rows, title: str, margin: float, subtitle: str) -> Spec:
    """One interval a row, beside zero and the margin."""
    estimate = {"x": {"field": "effect", "type": "quantitative"}, "y": _label()}
    diamond = {"type": "point", "shape": "diamond", "filled": True, "color": "black", "size": 60, "opacity": 1}
    return {
        **frame(title, subtitle),
        "height": 190,
        "layer": [
            *_limits(margin),
            {"data": {"values": rows}, "mark": {"type": "bar", "height": 10}, "encoding": _span()},
            {"data": {"values": rows}, "mark": diamond, "encoding": estimate},
        ],
    }


def _limits(margin: float) -> list[Spec]:
    """Zero and the margin, each with its name."""
    data = {"values": [{"x": 0.0, "text": "no change"}, {"x": margin, "text": "margin"}]}
    place = {"x": {"field": "x", "type": "quantitative"}}
    rule = {"type": "rule", "strokeWidth": 1.5, "color": MUTED, "strokeDash": [5, 4]}
    text = {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": MUTED, "baseline": "top"}
    return [
        {"data": data, "mark": rule, "encoding": place},
        {"data": data, "mark": text, "encoding": {**place, "y": {"value": 0}, "text": {"field": "text"}}},
    ]


def _label() -> Spec:
    axis = {"labelLimit": 220, "ticks": False, "domain": False}
    return {"field": "what", "type": "nominal", "sort": None, "title": None, "axis": axis}


def _span() -> Spec:
    domain = ["shown to be within its margin", "not enough data", "shown to be worse than its margin"]
    title = "harm beside the control, with its interval"
    return {
        "y": _label(),
        "x": {
            "field": "low",
            "type": "quantitative",
            "title": title,
            "axis": {"format": "+.0%", "values": [-0.1, 0.0, 0.1, 0.2]},
        },
        "x2": {"field": "high"},
        "color": {
            "field": "verdict",
            "title": None,
            "scale": {"domain": domain, "range": [GOOD, MUTED, BAD]},
            "legend": {"orient": "bottom", "labelFontSize": 12, "labelLimit": 300},
        },
    }


def columns(rows: Rows, title: str, x: str, y: str, *, subtitle: list[str]) -> Spec:
    """One column a size."""
    bars = {"mark": {"type": "bar", "color": CALM, "size": 36}}
    labels = {
        "mark": {"type": "text", "dy": -8, "fontSize": 12},
        "encoding": {"text": {"field": "y", "type": "quantitative", "format": ",.0f"}},
    }
    across = {"labelAngle": 0, "labelExpr": "datum.label + 'x'"}
    return {
        **frame(title, subtitle),
        "data": {"values": rows},
        "encoding": {
            "x": {"field": "x", "type": "ordinal", "title": x, "axis": across},
            "y": {"field": "y", "type": "quantitative", "title": y},
        },
        "layer": [bars, labels],
    }


def frame(title: str, subtitle: str | list[str] = "") -> Spec:
    """What all pictures share."""
    return {
        **SIZE,
        "background": "white",
        "padding": 8,
        "title": {"text": title, "subtitle": subtitle, "anchor": "start", "fontSize": 14, "subtitleFontSize": 12},
        "config": FONT,
    }
