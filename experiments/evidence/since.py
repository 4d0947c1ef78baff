"""Evidence since each of several later starts, as if the experiment had begun then."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import narwhals as nw

from experiments.evidence.growth import GrowingEvidence, Row, growth, growth_sums, unit_steps
from experiments.evidence.metric_sums import MetricDefinition, distinct_measures
from experiments.evidence.own_metrics import REQUESTS
from experiments.evidence.rows import starts_after
from experiments.evidence.special import Rows, special_sums
from experiments.stats.core.types import Evidence

EVERY = 4
"""Metrics that do not add up are asked for anew for each start, so only since each fourth."""


def evidence_since(
    rows: Rows, metrics: Sequence[MetricDefinition], starts: Sequence[datetime], *, now: datetime
) -> tuple[Evidence, ...]:
    """Evidence from the requests at or after each start, in the order of `starts`, in one pass for all of them.

    A unit's totals are those since the start, and only units with a request since are counted. Units that were seen in
    several variants at any time are left out.
    """
    if not starts:
        return ()
    ordered = sorted(set(starts))
    special = [metric for metric in metrics if not metric.adds_up]
    known = Rows(rows.measured, rows.outcomes.filter(_known_at() <= now), rows.units)
    simple = _simple(known, [metric for metric in metrics if metric.adds_up], ordered)
    found = dict(zip(ordered, simple, strict=True))
    for start in ordered[::EVERY] if special else ():
        sums = special_sums(special, _from(rows, start), start, now)
        found[start] = replace(found[start], sums={**found[start].sums, **sums})
    return tuple(found[start] for start in starts)


def _simple(rows: Rows, metrics: Sequence[MetricDefinition], starts: Sequence[datetime]) -> Sequence[Evidence]:
    """Of metrics that add up: what the time from one start to the next adds to the sums since that start.

    Time runs backwards here, and the newest bucket is 0: then a unit's running totals are those since a start.
    """
    asked = metrics or [REQUESTS]
    totals = distinct_measures(asked)
    steps = unit_steps(_from(rows, starts[0]), totals, starts[0], starts_after(starts))
    grown = growth(steps, asked, totals).join(rows.of_one_arm().select("unit", "arm"), on="unit")
    sums = grown.group_by("bucket", "arm").agg(*growth_sums(asked)).collect("pyarrow").rows(named=True)
    return _added_up(sums, metrics, len(starts))


def _known_at() -> nw.Expr:
    """When an outcome could be counted first; a sender's clock may be ahead."""
    return nw.max_horizontal(nw.col("time"), nw.col("received_at"))


def _from(rows: Rows, start: datetime) -> Rows:
    """The requests from a start on."""
    since = rows.measured.filter(nw.col("day") >= start.date(), nw.col("time") >= start)
    return Rows(since, rows.outcomes, rows.units)


def _added_up(rows: Sequence[Row], metrics: Sequence[MetricDefinition], count: int) -> Sequence[Evidence]:
    """The evidence since each of so many starts, the oldest first."""
    by_bucket: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_bucket[int(row["bucket"])].append(row)
    growing = GrowingEvidence(metrics)
    return [growing.add(by_bucket[bucket]) for bucket in range(count)][::-1]
