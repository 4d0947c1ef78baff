"""The drawings of an experiment's page, each made for the width that it is asked for at."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString, mark_safe

from experiments.charts.render import to_svg

WIDTHS: Final = {"wide": 800, "narrow": 320}
"""Widths in pixels, before a drawing is scaled to its place."""

USUAL: Final = "wide"
"""The width that is drawn for a browser of which none is known."""

Chart = Callable[[int], dict[str, Any]]
"""From a width in pixels to a Vega-Lite spec."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drawing stands at one width; without `svg` the browser asks for it once it is in sight.

    `asked`: this browser has shown this width before, and will ask for it again.
    """

    width: str
    svg: SafeString | None
    asked: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart at the widths that are asked for; none of them is drawn when it has nothing to show."""

    name: str
    chart: Chart | None
    asked: Collection[str] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return self.chart is not None

    def places(self) -> Iterator[Place]:
        """Each width's place."""
        drawn = self.asked or (USUAL,)
        for width in WIDTHS:
            yield Place(width, self.at(width) if width in drawn else None, width in self.asked)

    def at(self, width: str) -> SafeString | None:
        """The picture at one of `WIDTHS`."""
        # Every text in the drawing was escaped when it was drawn.
        return mark_safe(to_svg(self.chart(WIDTHS[width]))) if self.chart else None  # noqa: S308
