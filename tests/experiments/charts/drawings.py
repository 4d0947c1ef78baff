"""What can be read off a drawn chart."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from experiments.charts.render import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(spec: dict[str, Any]) -> ET.Element:
    """The drawing as XML."""
    return ET.fromstring(to_svg(spec))  # noqa: S314 - our own text


def words(drawing: ET.Element) -> list[str]:
    """Every text in the drawing."""
    return [element.text or "" for element in drawing.iter(f"{SVG}text")]


def width(drawing: ET.Element) -> float:
    """The width in pixels."""
    return float(drawing.attrib["width"])


def lines_across(drawing: ET.Element, stroke_width: float) -> list[tuple[float, float]]:
    """Left and right end of every horizontal line of that thickness."""
    found = []
    for line in drawing.iter(f"{SVG}line"):
        if float(line.attrib.get("stroke-width", 1)) == stroke_width and float(line.attrib.get("y2", 0)) == 0:
            start = float(re.findall(r"translate\(([-\d.]+)", line.attrib["transform"])[0])
            found.append((start, start + float(line.attrib.get("x2", 0))))
    return [(min(ends), max(ends)) for ends in found]
