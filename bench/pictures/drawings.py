"""Vega-Lite specs of the pictures."""

from typing import Any

from bench.pictures.data import Rows

COLOURS = ["#2563c9", "#c2410c", "#5b6472"]
SIZE = {"width": 520, "height": 240, "background": "white", "padding": 8}
FONT = {"font": "sans-serif", "axis": {"grid": False, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500}}
TIMES = {"labelAngle": 0, "labelExpr": "datum.label + 'x'"}
Spec = dict[str, Any]


def lines(rows: Rows, title: str, x: str, y: str, *, subtitle: str = "", points: bool = False, **axis: Any) -> Spec:
    """One line a name; `axis` are options of the vertical one."""
    return {
        **frame(title, subtitle),
        "data": {"values": rows},
        "mark": {"type": "line", "point": points, "strokeWidth": 2},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": x},
            "y": {"field": "y", "type": "quantitative", "title": y, **axis},
            "color": {
                "field": "line",
                "title": None,
                "scale": {"range": COLOURS},
                "legend": {"orient": "bottom", "labelFontSize": 12, "labelLimit": 300},
            },
        },
    }


def spans(rows: Rows, title: str, margin: float) -> Spec:
    """One interval a row, beside zero and the margin."""
    rule = {"type": "rule", "strokeWidth": 1.5, "color": "#5b6472"}
    colours = {"domain": ["no worse than the margin", "not enough data", "worse than the margin"]}
    return {
        **frame(title, "the interval of the harm, relative to the control"),
        "height": 170,
        "layer": [
            {"data": {"values": [{"x": 0.0}]}, "mark": rule, "encoding": {"x": {"field": "x", "type": "quantitative"}}},
            {
                "data": {"values": [{"x": margin, "text": "margin"}]},
                "mark": {**rule, "strokeDash": [5, 4], "color": "#c2410c"},
                "encoding": {"x": {"field": "x", "type": "quantitative"}},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "bar", "height": 10},
                "encoding": {
                    "y": {"field": "what", "type": "nominal", "sort": None, "title": None},
                    "x": {"field": "low", "type": "quantitative", "title": None, "axis": {"format": "+.0%"}},
                    "x2": {"field": "high"},
                    "color": {
                        "field": "verdict",
                        "title": None,
                        "scale": {**colours, "range": ["#15803d", "#5b6472", "#c2410c"]},
                        "legend": {"orient": "bottom", "labelFontSize": 12, "labelLimit": 300},
                    },
                },
            },
        ],
    }


def columns(rows: Rows, title: str, x: str, y: str, *, subtitle: str) -> Spec:
    """One column a size."""
    bars = {"mark": {"type": "bar", "color": COLOURS[0], "size": 36}}
    labels = {
        "mark": {"type": "text", "dy": -8, "fontSize": 12},
        "encoding": {"text": {"field": "y", "type": "quantitative", "format": ",.0f"}},
    }
    return {
        **frame(title, subtitle),
        "data": {"values": rows},
        "encoding": {
            "x": {
                "field": "x",
                "type": "ordinal",
                "title": x,
                "axis": {"labelAngle": 0, "labelExpr": "datum.label + 'x'"},
            },
            "y": {"field": "y", "type": "quantitative", "title": y},
        },
        "layer": [bars, labels],
    }


def frame(title: str, subtitle: str = "") -> Spec:
    """What all pictures share."""
    return {
        **SIZE,
        "title": {"text": title, "subtitle": subtitle, "anchor": "start", "fontSize": 14, "subtitleFontSize": 12},
        "config": FONT,
    }
