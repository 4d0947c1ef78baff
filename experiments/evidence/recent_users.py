"""What an endpoint's users did lately, all of them as one group: what an experiment on it may expect."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import narwhals as nw

from experiments.evidence.collect import sums_over_units
from experiments.evidence.history import read_history
from experiments.evidence.metric_sums import MetricDefinition
from experiments.evidence.rows import endpoint_requests, units_of
from experiments.stats.core.types import UnitSums
from experiments.stats.planning import Arrivals
from routing.lake.reading import THREADS, Frame, LakeVersion, Reading

LATELY = timedelta(days=7)
SHORTEST_HOURS = 1.0 / 60.0
"""Less than a minute of traffic says nothing of how many come."""
SLOWEST_GROWTH = 0.3
NO_GROWTH = 0.05
"""A growth below this over a day or more, 4 % of users who are new in the second half, is that of a fixed crowd."""
FIXED_AFTER_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class CollectedBaseline:
    """Sums over all units of each metric, and how units came.

    `hours` is the time from the first request to the last, and `units_of_first_half` counts the units that were
    seen in the first half of it. Both counts of units are scaled up where the endpoint keeps only a share of those
    whom no experiment takes: each that was kept with probability s counts 1/s (Horvitz and Thompson, 1952). The sums
    are of the units that were kept, and so is `reached`: how many units reach each total of heavy ones, of metrics that
    count events.
    """

    units: float
    units_of_first_half: float
    hours: float
    sums: Mapping[str, UnitSums]
    lake: LakeVersion
    reached: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def arrivals(self) -> Arrivals | None:
        """How many distinct units come in so many hours; None when there is too little to tell.

        The exponent is log2(all units / units of the first half), between 0.3 and 1. Of a crowd to which hardly anybody
        came in the second half of a day or more, there are no more than were seen.
        """
        if self.hours < SHORTEST_HOURS or not self.units_of_first_half:
            return None
        growth = math.log2(self.units / self.units_of_first_half)
        exponent = min(max(growth, SLOWEST_GROWTH), 1.0)
        is_fixed = growth < NO_GROWTH and self.hours >= FIXED_AFTER_HOURS
        return Arrivals(self.units / self.hours**exponent, exponent, self.units if is_fixed else math.inf)


def collect_baseline(
    lake_url: str,
    endpoint: str,
    since: datetime | None,
    metrics: Sequence[MetricDefinition],
    *,
    now: datetime | None = None,
    as_of: LakeVersion | None = None,
    threads: int = THREADS,
) -> CollectedBaseline:
    """Sums over units of each metric from all requests of an endpoint since a moment, the last 7 days by default.

    Requests count whatever experiment they were in, but for forced and shadow ones. A metric without enough data is
    left out of `sums`. Starts threads.

    Raises:
        InvalidInput: a metric that makes no sense, or `lake-version-unknown`.
        Unavailable: `lake-unavailable`.

    """
    moment = now or datetime.now(UTC)
    start = since or moment - LATELY
    with read_history(lake_url, as_of, threads) as reading:
        measured = endpoint_requests(reading.requests, endpoint, start)
        collected = sums_over_units(reading, measured, start, metrics, now=moment)
        units, first_half, hours = _spread(reading, measured)
    sums = {metric: sums for (metric, _), sums in collected.evidence.sums.items()}
    reached = {metric: found for (metric, _), found in collected.reached.items()}
    return CollectedBaseline(units, first_half, hours, sums, collected.lake, reached)


def _spread(reading: Reading, measured: Frame) -> tuple[float, float, float]:
    """Units, those seen in the first half of the time that requests cover, and the hours of all of it."""
    chances = measured.group_by("unit").agg(nw.col("chance").max())
    seen = units_of(measured, {}).join(chances, on="unit")
    units = reading.keep(seen.select("first_time", "last_time", stands_for=1 / nw.col("chance")))
    ends = units.select(first=nw.col("first_time").min(), last=nw.col("last_time").max()).collect("pyarrow")
    [(first, last)] = ends.rows()
    if first is None:
        return 0.0, 0.0, 0.0
    middle = first + (last - first) / 2
    early = nw.when(nw.col("first_time") < middle).then(nw.col("stands_for"))
    [(all_units, early_units)] = units.select(nw.col("stands_for").sum(), early=early.sum()).collect("pyarrow").rows()
    return all_units, early_units or 0.0, (last - first).total_seconds() / 3600.0
