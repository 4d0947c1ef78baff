"""Evidence for one analysis: from the lake's rows to sums over units, in one pass for all metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import narwhals as nw

from experiments.evidence.completeness import columns_to_check, columns_to_read, known_sums
from experiments.evidence.measures import Measure
from experiments.evidence.metric_sums import (
    MetricDefinition,
    distinct_measures,
    read_sums,
    unit_products,
    unit_values,
)
from experiments.evidence.rows import attributed_outcomes, measured_requests, total, units_of, with_failures
from experiments.evidence.settling import TICK_SECONDS, settle
from experiments.evidence.since import evidence_since
from experiments.evidence.special import Rows, special_sums
from experiments.stats.core.types import Evidence, UnitSums
from experiments.stats.health.last_answers import LastAnswers
from experiments.stats.health.late import OutcomeTiming
from routing.lake.reading import THREADS, Frame, LakeVersion, Reading, read_lake

FAILURES = ("failed", "failed_last")


@dataclass(frozen=True, slots=True)
class CollectedEvidence:
    """Evidence, the lake version it came from, and what was seen on the way.

    `requests` counts the measured requests of the units that count. Units seen in several variants
    are left out of everything but `units_in_two_arms`. `last_time` is that of the newest measured request. `known`
    has, by metric and variant, how many answered requests (D) tell what the metric needs (Y), where some may not, and
    `read` how many of those (D) could be read (Y), for each metric that needs what answers hold.
    `since` is the evidence from each of the later starts that was asked for on.
    `timings` has, by metric of outcomes, when these come; while that cannot be told, the metric has no sums.
    `last_answers` counts by variant the units whose newest request was not answered.
    """

    evidence: Evidence
    lake: LakeVersion
    requests: Mapping[str, int]
    units_in_two_arms: int
    last_time: datetime | None
    known: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    read: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    since: tuple[Evidence, ...] = ()
    timings: Mapping[str, OutcomeTiming] = field(default_factory=dict)
    last_answers: Mapping[str, LastAnswers] = field(default_factory=dict)


def collect_evidence(
    lake_url: str,
    experiment: str,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
    *,
    now: datetime | None = None,
    starts: Sequence[datetime] = (),
    tick_seconds: float = TICK_SECONDS,
    as_of: LakeVersion | None = None,
    threads: int = THREADS,
) -> CollectedEvidence:
    """Sums over units of each metric and variant, from measured requests at or after `started_at`, and each start.

    Windows of metrics that have one are closed up to `now`, the present moment unless told otherwise. A metric of
    outcomes counts the requests that have settled by then (see `settle`), at least 3 ticks old.

    The same `as_of` gives the same evidence while the lake keeps that version (equal counts; sums of
    fractions up to the last digits, as their order of addition is free). Starts threads.

    Raises:
        InvalidInput: a metric that makes no sense, or `lake-version-unknown`.
        Unavailable: `lake-unavailable`.

    """
    with read_lake(lake_url, as_of, threads) as reading:
        measured = measured_requests(reading.requests, experiment, started_at)
        moment = now or datetime.now(UTC)
        settled = settle(reading, measured, started_at, metrics, now=moment, tick_seconds=tick_seconds)
        collected = sums_over_units(reading, measured, started_at, settled.metrics, now=moment)
        collected = replace(collected, timings=settled.timings)
        if not starts:
            return collected
        rows = Rows(measured, reading.outcomes, reading.keep(units_of(measured, {})))
        return replace(collected, since=evidence_since(rows, settled.metrics, starts, now=moment))


def sums_over_units(
    reading: Reading, measured: Frame, since: datetime, metrics: Sequence[MetricDefinition], *, now: datetime
) -> CollectedEvidence:
    """Sums over the units of measured requests; their column `variant` is the arm. Raises as `collect_evidence`."""
    simple = [metric for metric in metrics if metric.adds_up]
    special = [metric for metric in metrics if not metric.adds_up]
    totals = distinct_measures(simple)
    units = with_failures(_unit_totals(reading, measured, since, totals, now), measured)
    seen = ("arm", "requests", "last_time", *FAILURES)
    values = units.select(*seen, **unit_values(simple, totals)).select(*seen, **unit_products(simple))
    rows = _add_up(values, tuple(unit_products(simple))).collect("pyarrow").rows(named=True)
    collected = _collected(rows, simple, reading.version)
    needed = columns_to_check(metrics, measured)
    if not special and not needed:
        return collected
    seen_units = reading.keep(units.select("unit", "arm", "first_time"))
    sums = special_sums(special, Rows(measured, reading.outcomes, seen_units), since, now)
    evidence = replace(collected.evidence, sums={**collected.evidence.sums, **sums})
    known = known_sums(needed, measured, seen_units)
    read = known_sums(columns_to_read(metrics, measured), measured, seen_units)
    return replace(collected, evidence=evidence, known=known, read=read)


def _unit_totals(
    reading: Reading, measured: Frame, since: datetime, totals: Mapping[Measure, str], now: datetime
) -> Frame:
    """One row a unit with its totals of requests and outcomes."""
    of_outcomes = {measure: column for measure, column in totals.items() if measure.from_outcomes}
    of_requests = {measure: column for measure, column in totals.items() if not measure.from_outcomes}
    units = units_of(measured, of_requests)
    if of_outcomes:
        units = reading.keep(units)
        names = {measure.argument for measure in of_outcomes}
        outcomes = attributed_outcomes(reading.outcomes, measured, units, names, since)
        known = _outcome_totals(outcomes.filter(nw.col("known_at") <= now), of_outcomes)
        units = units.join(known, on="unit", how="left")
        units = units.with_columns(nw.col(*of_outcomes.values()).fill_null(0.0))
    return units


def _outcome_totals(outcomes: Frame, totals: Mapping[Measure, str]) -> Frame:
    """One row a unit that has outcomes, with its totals."""
    values = {column: measure.value() for measure, column in totals.items()}
    return outcomes.select("unit", **values).group_by("unit").agg(*(total(column) for column in values))


def _add_up(units: Frame, sums: Sequence[str]) -> Frame:
    """One row an arm; the row without an arm counts the units that were seen in several."""
    return units.group_by("arm").agg(
        nw.len().alias("units"),
        nw.col("requests", *FAILURES).sum().cast(nw.Int64),
        nw.col("last_time").max(),
        *(total(column) for column in sums),
    )


def _collected(
    rows: Sequence[Mapping[str, object]], metrics: Sequence[MetricDefinition], version: LakeVersion
) -> CollectedEvidence:
    arms = {str(row["arm"]): row for row in rows if row["arm"] is not None}
    times = [row["last_time"] for row in rows if isinstance(row["last_time"], datetime)]
    return CollectedEvidence(
        Evidence(
            {arm: _whole(row["units"]) for arm, row in arms.items()},
            {(metric, arm): sums for arm, row in arms.items() for metric, sums in read_sums(metrics, row).items()},
        ),
        version,
        {arm: _whole(row["requests"]) for arm, row in arms.items()},
        sum(_whole(row["units"]) for row in rows if row["arm"] is None),
        max(times).astimezone(UTC) if times else None,
        last_answers={arm: _last_answers(row) for arm, row in arms.items()},
    )


def _last_answers(row: Mapping[str, object]) -> LastAnswers:
    users, failed_last, requests, failed = (
        _whole(row[name]) for name in ("units", "failed_last", "requests", "failed")
    )
    return LastAnswers(users, failed_last, requests, failed)


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - a count
    return value
