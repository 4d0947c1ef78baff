"""How evidence grew over time, for charts of an effect."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import narwhals as nw

from experiments.evidence.measures import WIDE, Measure
from experiments.evidence.metric_sums import (
    MetricDefinition,
    distinct_measures,
    read_sums,
    sum_expressions,
    unit_products,
    unit_values,
)
from experiments.evidence.rows import attributed_outcomes, bucket, measured_requests, total, units_of
from experiments.evidence.settling import TICK_SECONDS, settle
from experiments.evidence.special import Rows
from experiments.stats.core.types import Evidence
from routing.lake.reading import THREADS, Frame, LakeVersion, read_lake

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EvidencePoint:
    """All evidence up to `time`."""

    time: datetime
    evidence: Evidence


def evidence_over_time(
    lake_url: str,
    experiment: str,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
    *,
    bucket_seconds: int = 60,
    now: datetime | None = None,
    tick_seconds: float = TICK_SECONDS,
    as_of: LakeVersion | None = None,
    threads: int = THREADS,
) -> tuple[EvidencePoint, ...]:
    """Evidence at the end of each bucket of time in which some came; the last equals `collect_evidence`.

    Units that were seen in several variants by the end are left out from the beginning, and so are requests that have
    not settled by `now`, the present moment unless told otherwise, from metrics of outcomes. Starts threads.

    Raises:
        InvalidInput: a metric that makes no sense, or `lake-version-unknown`.
        Unavailable: `lake-unavailable`.

    """
    # What does not add up has no history of sums.
    metrics = [metric for metric in metrics if metric.adds_up]
    with read_lake(lake_url, as_of, threads) as reading:
        measured = measured_requests(reading.requests, experiment, started_at)
        moment = now or datetime.now(UTC)
        metrics = settle(reading, measured, started_at, metrics, now=moment, tick_seconds=tick_seconds).metrics
        totals = distinct_measures(metrics)
        units = reading.keep(units_of(measured, {}))
        rows = Rows(measured, reading.outcomes, units)
        steps = unit_steps(rows, totals, started_at, bucket(started_at, bucket_seconds))
        grown = growth(steps, metrics, totals).join(units.select("unit", "arm"), on="unit")
        sums = grown.filter(~nw.col("arm").is_null()).group_by("bucket", "arm").agg(*growth_sums(metrics))
        found = sums.sort("bucket", "arm").collect("pyarrow").rows(named=True)
    return tuple(_add_up(found, metrics, started_at, bucket_seconds))


def unit_steps(
    rows: Rows, totals: Mapping[Measure, str], since: datetime, bucket_of: nw.Expr, *, outcome_time: str = "time"
) -> Frame:
    """One row a unit and bucket: what the bucket adds to each of the unit's totals.

    An outcome lies in the bucket of its own time, or of that of its request, `asked_at`; that of a request before
    `since` does not count.
    """
    names = {measure.argument for measure in totals if measure.from_outcomes}
    attributed = attributed_outcomes(rows.outcomes, rows.measured, rows.units, names, since)
    outcomes = attributed.filter(nw.col("asked_at") >= since)
    parts = [
        part.select("unit", bucket=bucket_of, **_values(totals, from_outcomes=of_outcomes))
        for part, of_outcomes in (
            (rows.measured, False),
            (outcomes.with_columns(time=nw.col(outcome_time)), True),
        )
    ]
    added = (total(column, measure.number) for measure, column in totals.items())
    return nw.concat(parts).group_by("unit", "bucket").agg(*added)


def _values(totals: Mapping[Measure, str], *, from_outcomes: bool) -> dict[str, nw.Expr]:
    """What a row adds to each total: nothing when the measure is of the other table."""
    return {
        column: (measure.value() if measure.from_outcomes is from_outcomes else nw.lit(0)).cast(measure.number)
        for measure, column in totals.items()
    }


def growth(steps: Frame, metrics: Sequence[MetricDefinition], totals: Mapping[Measure, str]) -> Frame:
    """What each unit and bucket adds to the sums over units: its products then, less those before."""
    running = [nw.col(column).cum_sum().over("unit", order_by="bucket") for column in totals.values()]
    now = (
        steps.with_columns(*running, units=nw.lit(1))
        .with_columns(**unit_values(metrics, totals))
        .with_columns(**unit_products(metrics))
    )
    columns = ("units", *unit_products(metrics))
    before = {column: nw.col(column).shift(1).over("unit", order_by="bucket").fill_null(0) for column in columns}
    return now.select("unit", "bucket", **{column: nw.col(column) - before[column] for column in columns})


def growth_sums(metrics: Sequence[MetricDefinition]) -> tuple[nw.Expr, ...]:
    """What adds up the columns of `growth` over units."""
    return (total("units", WIDE), *sum_expressions(metrics))


class GrowingEvidence:
    """Evidence that is added to: whole numbers first, so that it is the same as if all had come at once."""

    def __init__(self, metrics: Sequence[MetricDefinition]) -> None:
        self._metrics = metrics
        self._arms: dict[str, dict[str, Any]] = {}

    def add(self, rows: Iterable[Row]) -> Evidence:
        """All evidence, with these rows of sums by `arm`."""
        for row in rows:
            known = self._arms.setdefault(row["arm"], {})
            for column in row.keys() - {"arm", "bucket"}:
                value = row[column]
                # Sums of decimals would be rounded to so many digits.
                known[column] = known.get(column, 0) + (int(value) if isinstance(value, Decimal) else value)
        return self._evidence()

    def _evidence(self) -> Evidence:
        units = {arm: round(row["units"]) for arm, row in self._arms.items()}
        read = {arm: read_sums(self._metrics, row) for arm, row in self._arms.items()}
        return Evidence(units, {(metric, arm): sums for arm, found in read.items() for metric, sums in found.items()})


def _add_up(
    rows: Sequence[Row], metrics: Sequence[MetricDefinition], started_at: datetime, bucket_seconds: int
) -> Iterable[EvidencePoint]:
    growing = GrowingEvidence(metrics)
    for number, arms in groupby(rows, key=lambda row: row["bucket"]):
        end = started_at + timedelta(seconds=(number + 1) * bucket_seconds)
        yield EvidencePoint(end, growing.add(arms))
