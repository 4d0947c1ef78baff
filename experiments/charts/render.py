"""From a Vega-Lite spec to an SVG that follows the page's colours."""

import hashlib
import json
from functools import lru_cache
from typing import Any

import vl_convert

VEGA_LITE = "6.4"
DRAWINGS_KEPT = 256

# Colours are variables of the page, so that one drawing serves light and dark.
INK = "var(--ink)"
MUTED = "var(--muted)"
LINE = "var(--line)"
EDGE = "var(--edge)"
CALM = "var(--calm)"
GOOD = "var(--good)"
BAD = "var(--bad)"
HATCHED = "url(#hatched)"

_HATCHING = (
    '<defs><pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<line x1="1" y1="0" x2="1" y2="6" stroke="{EDGE}" stroke-width="1.5"/></pattern></defs>'
)

_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "text": {"color": INK, "fontSize": 13},
}


def to_svg(spec: dict[str, Any]) -> str:
    """Draw a spec; the same spec is drawn once a process. Raises `ValueError` when Vega-Lite does not understand it."""
    return _draw(json.dumps({**spec, "config": _CONFIG}, allow_nan=False))


def percent_labels(limit: float) -> dict[str, Any]:
    """Axis labels like `+5 %`, with as many decimals as an axis that ends at `limit` needs."""
    decimals = 0 if limit > 0.04 else 1
    return {"labelExpr": f"datum.value == 0 ? '0' : format(datum.value * 100, '+.{decimals}f') + ' %'"}


@lru_cache(maxsize=DRAWINGS_KEPT)
def _draw(spec: str) -> str:
    svg = vl_convert.vegalite_to_svg(json.loads(spec), vl_version=VEGA_LITE, allowed_base_urls=[])
    # Several drawings share a page, and the id of a pattern must be the only one of its kind.
    name = "hatched-" + hashlib.sha256(spec.encode()).hexdigest()[:12]
    hatching = _HATCHING.replace("hatched", name)
    return svg.replace(HATCHED, f"url(#{name})").replace(">", f">{hatching}", 1)
