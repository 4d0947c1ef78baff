"""What the newest analysis found of each metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric of one candidate beside the control, in the metric's unit; `relative` is the effect / |control|.

    `low` and `high` are the ends of its interval, None where it is open or nothing could be measured.
    """

    metric: str
    variant: str
    role: str
    control: float | None
    candidate: float | None
    relative: float | None
    low: float | None
    high: float | None
    verdict: str


def read_lines(analyses: Mapping[str, Any]) -> tuple[MetricLine, ...]:
    """The lines of the newest of these analyses; none before the first."""
    newest = next(iter(analyses["results"]), None)
    return tuple(map(_line, newest["results"].get("metrics", ()))) if newest else ()


def _line(found: Mapping[str, Any]) -> MetricLine:
    interval = found.get("relative_interval") or {}
    return MetricLine(
        metric=found["metric"],
        variant=found["variant"],
        role=found["role"],
        control=found["control_value"],
        candidate=found["variant_value"],
        relative=found["relative"],
        low=interval.get("low"),
        high=interval.get("high"),
        verdict=found["verdict"],
    )
