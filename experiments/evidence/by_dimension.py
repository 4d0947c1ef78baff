"""Evidence of the users of each value of a dimension, such as the edge that they came by first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw

from experiments.evidence.collect import CollectedEvidence, sums_over_units
from experiments.evidence.metric_sums import MetricDefinition
from experiments.evidence.rows import measured_requests
from experiments.evidence.settling import TICK_SECONDS, settle
from experiments.stats.core.types import Evidence, UnitSums
from experiments.stats.health.late import OutcomeTiming
from routing.lake.reading import THREADS, Frame, LakeVersion, Reading, read_lake

MOST_VALUES = 8
"""Values of a dimension that are told apart, those with the most users; all others are one."""

NOT_TOLD, OTHERS = "not told", "all others"
"""In the place of a value."""


@dataclass(frozen=True, slots=True)
class SegmentEvidence:
    """Evidence of the units whose first request had one value, and how often what metrics need is known of them.

    `known` is as that of `CollectedEvidence`.
    """

    dimension: str
    value: str
    evidence: Evidence
    known: Mapping[str, Mapping[str, UnitSums]]


@dataclass(frozen=True, slots=True)
class DimensionEvidence:
    """Evidence by dimension and value, when outcomes come, by metric, and the lake's version that all came from.

    `requests` counts those of each variant.
    """

    segments: tuple[SegmentEvidence, ...]
    timings: Mapping[str, OutcomeTiming]
    requests: Mapping[str, int]
    lake: LakeVersion


def collect_by_dimension(
    lake_url: str,
    experiment: str,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
    dimensions: Sequence[str],
    *,
    now: datetime,
    tick_seconds: float = TICK_SECONDS,
    threads: int = THREADS,
) -> DimensionEvidence:
    """Sums over units of each metric and variant, by the value that a column of requests has in a unit's first one.

    The first request comes before any answer, so that a variant has no part in which value a unit counts for, and each
    unit counts for one value of a dimension. A unit seen in several variants counts nowhere. Reads all rows of the
    experiment once for each dimension. Starts threads.

    Raises:
        InvalidInput: a metric that makes no sense.
        Unavailable: `lake-unavailable`.

    """
    with read_lake(lake_url, None, threads) as reading:
        measured = measured_requests(reading.requests, experiment, started_at)
        settled = settle(reading, measured, started_at, metrics, now=now, tick_seconds=tick_seconds)
        first = reading.keep(_first_values(measured, dimensions))
        look = _Look(reading, measured, first, started_at, settled.metrics, now)
        found = [look.at(dimension) for dimension in dimensions]
        segments = tuple(segment for segments, _ in found for segment in segments)
        requests = found[0][1] if found else {}
        return DimensionEvidence(segments, settled.timings, requests, reading.version)


def _first_values(measured: Frame, dimensions: Sequence[str]) -> Frame:
    """One row a unit: what its first request has in each column, as text; of two at one moment the smaller."""
    first = measured.group_by("unit").agg(nw.col("time").min())
    columns = {name: nw.col(name).cast(nw.String) for name in dimensions}
    rows = measured.select("unit", "time", **columns).join(first, on=["unit", "time"])
    return rows.group_by("unit").agg(nw.col(*dimensions).min())


@dataclass(frozen=True, slots=True)
class _Look:
    """One moment's measured requests, and the first values of their units."""

    reading: Reading
    measured: Frame
    first: Frame
    started_at: datetime
    metrics: Sequence[MetricDefinition]
    now: datetime

    def at(self, dimension: str) -> tuple[list[SegmentEvidence], Mapping[str, int]]:
        """The evidence of each value of a dimension, that of the most units first, and requests by variant."""
        values = self._values(dimension)
        segments = self.first.select("unit", segment=_place(dimension, values).cast(nw.String))
        arm = nw.concat_str(nw.col("segment"), nw.lit(":"), nw.col("variant"))
        rows = self.measured.join(segments, on="unit").with_columns(variant=arm)
        found = sums_over_units(self.reading, rows, self.started_at, self.metrics, now=self.now)
        requests: dict[str, int] = {}
        for name, count in found.requests.items():
            variant = name.partition(":")[2]
            requests[variant] = requests.get(variant, 0) + count
        names = [*(NOT_TOLD if value is None else value for value in values), OTHERS]
        every = (_segment(dimension, name, f"{place}:", found) for place, name in enumerate(names))
        return [segment for segment in every if segment.evidence.units], requests

    def _values(self, dimension: str) -> list[str | None]:
        """The values of the most units; which a unit without a value has is None."""
        counts = self.first.group_by(dimension).agg(nw.len().alias("units")).collect("pyarrow")
        rows: list[Any] = sorted(counts.rows(), key=lambda row: (-row[1], row[0] or ""))
        return [value for value, _ in rows[:MOST_VALUES]]


def _place(dimension: str, values: Sequence[str | None]) -> nw.Expr:
    """The place of a unit's value among these; behind the last for all others."""
    place: nw.Expr = nw.lit(len(values))
    for number, value in enumerate(values):
        column = nw.col(dimension)
        is_it = column.is_null() if value is None else (column == value).fill_null(value=False)
        place = nw.when(is_it).then(nw.lit(number)).otherwise(place)
    return place


def _segment(dimension: str, name: str, prefix: str, found: CollectedEvidence) -> SegmentEvidence:
    """What was found of the arms whose names begin so, by the variant's own name."""
    units, sums = found.evidence.units, found.evidence.sums
    evidence = Evidence(
        units={arm.removeprefix(prefix): count for arm, count in units.items() if arm.startswith(prefix)},
        sums={(key, arm.removeprefix(prefix)): each for (key, arm), each in sums.items() if arm.startswith(prefix)},
    )
    known = {
        metric: {arm.removeprefix(prefix): each for arm, each in arms.items() if arm.startswith(prefix)}
        for metric, arms in found.known.items()
    }
    return SegmentEvidence(dimension, name, evidence, known)
