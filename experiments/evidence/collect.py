"""Evidence for one analysis: from the lake's rows to sums over units, in one pass for all metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import narwhals as nw

from experiments.evidence.completeness import completeness_checks, known_sums, read_answers
from experiments.evidence.edge_units import count_by_edge
from experiments.evidence.history import read_history
from experiments.evidence.measures import Measure
from experiments.evidence.metric_sums import (
    MetricDefinition,
    distinct_measures,
    outcome_names,
    read_evidence,
    read_reached,
    sum_expressions,
    unit_products,
    unit_values,
)
from experiments.evidence.own_metrics import NOT_ANSWERED
from experiments.evidence.rows import attributed_outcomes, measured_requests, total, units_of, with_failures
from experiments.evidence.settling import TICK_SECONDS, Settled, settle
from experiments.evidence.since import evidence_since
from experiments.evidence.special import Rows, special_sums
from experiments.evidence.state.carried import REQUESTS_A_UNIT, Carried, kept_of, kept_sums, may_be_carried
from experiments.evidence.state.pairs import read_pairs
from experiments.evidence.state.sums import Kept, Sums
from experiments.stats.adjust.covariate import CovariateSums
from experiments.stats.core.types import Evidence, UnitSums
from experiments.stats.health.last_answers import LastAnswers
from experiments.stats.health.late import OutcomeTiming
from routing.lake.reading import THREADS, Frame, LakeVersion, Reading

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
    `last_answers` counts by variant the units whose newest request was not answered. `units_by_edge` has the distinct
    units by edge and variant, those of several variants among them; None where they were not counted on the way.
    `reached` has, by metric that counts events and variant, how many units reach each total of heavy ones; empty where
    they were not counted on the way. `covariates` has, by metric that has a past and variant, the sums of both; empty
    where sums are not kept as whole numbers.
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
    units_by_edge: Mapping[str, Mapping[str, int]] | None = None
    reached: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    covariates: Mapping[str, Mapping[str, CovariateSums]] = field(default_factory=dict)

    def of(self, metrics: Sequence[MetricDefinition]) -> "CollectedEvidence":
        """The same with the sums of these metrics alone, and nothing of when outcomes come."""
        since = tuple(_of(metrics, evidence) for evidence in self.since)
        return replace(self, evidence=_of(metrics, self.evidence), since=since, timings={})


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
    carried: Carried | None = None,
) -> CollectedEvidence:
    """Sums over units of each metric and variant, from measured requests at or after `started_at`, and each start.

    Windows of metrics that have one are closed up to `now`, the present moment unless told otherwise. A metric of
    outcomes counts the requests that have settled by then (see `settle`), at least 3 ticks old.

    The same `as_of` gives the same evidence while the lake keeps that version (sums of outcomes up to the last digits,
    as the order in which fractions are added is free). With what is `carried` from one call to the next, metrics of
    requests that add up cost what is new alone, and their sums are the same. Starts threads.

    Raises:
        InvalidInput: a metric that makes no sense, or `lake-version-unknown`.
        Unavailable: `lake-unavailable`.

    """
    with read_history(lake_url, as_of, threads) as reading:
        moment = now or datetime.now(UTC)
        settled = Settled(tuple(metrics))
        if any(map(outcome_names, metrics)):
            measured = measured_requests(reading.requests, experiment, started_at)
            settled = settle(reading, measured, started_at, metrics, now=moment, tick_seconds=tick_seconds)
        from_rows = partial(_from_rows, reading, experiment, started_at, starts=starts, now=moment)
        kept = kept_of(experiment, started_at, metrics, (*starts, *(carried.coming if carried else ())))
        sums = kept_sums(carried, reading, kept)
        if sums is None:
            edges = count_by_edge(measured_requests(reading.requests, experiment, started_at))
            found = replace(from_rows(settled.metrics), units_by_edge=edges)
        else:
            found = _from_sums(sums, reading.version, kept, metrics, starts)
            if left := [metric for metric in settled.metrics if not may_be_carried(metric)]:
                found = _with_sums_of(found, from_rows(left))
        return replace(found, timings=settled.timings)


def _from_rows(
    reading: Reading,
    experiment: str,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
    *,
    starts: Sequence[datetime],
    now: datetime,
) -> CollectedEvidence:
    measured = measured_requests(reading.requests, experiment, started_at)
    collected = sums_over_units(reading, measured, started_at, metrics, now=now)
    if not starts:
        return collected
    rows = Rows(measured, reading.outcomes, reading.keep(units_of(measured, {})))
    return replace(collected, since=evidence_since(rows, metrics, starts, now=now))


def _from_sums(
    sums: Sums,
    version: LakeVersion,
    kept: Kept,
    metrics: Sequence[MetricDefinition],
    starts: Sequence[datetime],
) -> CollectedEvidence:
    """The evidence of the metrics that are kept, and what is known of all."""
    first = kept.starts[0]
    found = sums.evidence(first, kept.metrics)
    of_all = sums.sums_of_all(kept.of_all)
    return CollectedEvidence(
        found,
        version,
        {arm: round(of_all[REQUESTS_A_UNIT.key, arm].sum_y) for arm in found.units},
        sums.in_two_arms,
        sums.last_time,
        known_sums(metrics, of_all),
        read_answers(metrics, of_all),
        tuple(sums.evidence(max(start, first), kept.metrics) for start in starts),
        last_answers={arm: _last_of_sums(arm, found, of_all, sums) for arm in found.units},
        units_by_edge=sums.units_by_edge,
        covariates=read_pairs(kept, sums.pairs),
    )


def _last_of_sums(arm: str, found: Evidence, of_all: Mapping[tuple[str, str], UnitSums], sums: Sums) -> LastAnswers:
    requests, failed = (round(of_all[metric.key, arm].sum_y) for metric in (REQUESTS_A_UNIT, NOT_ANSWERED))
    return LastAnswers(found.units[arm], sums.failed_last.get(arm, 0), requests, failed)


def _of(metrics: Sequence[MetricDefinition], evidence: Evidence) -> Evidence:
    """Of these metrics alone."""
    wanted = {metric.key for metric in metrics}
    sums = {key: found for key, found in evidence.sums.items() if key[0] in wanted}
    return replace(evidence, sums=sums, heavy={key: found for key, found in evidence.heavy.items() if key[0] in wanted})


def _with_sums_of(found: CollectedEvidence, other: CollectedEvidence) -> CollectedEvidence:
    """The sums of both, which are of the same requests."""
    since = (_joined(first, second) for first, second in zip(found.since, other.since, strict=True))
    return replace(found, evidence=_joined(found.evidence, other.evidence), since=tuple(since))


def _joined(first: Evidence, second: Evidence) -> Evidence:
    return replace(first, sums={**first.sums, **second.sums}, heavy={**first.heavy, **second.heavy})


def sums_over_units(
    reading: Reading, measured: Frame, since: datetime, metrics: Sequence[MetricDefinition], *, now: datetime
) -> CollectedEvidence:
    """Sums over the units of measured requests; their column `variant` is the arm. Raises as `collect_evidence`."""
    simple = [metric for metric in metrics if metric.adds_up]
    special = [metric for metric in metrics if not metric.adds_up]
    asked = (*simple, *completeness_checks(metrics))
    totals = distinct_measures(asked)
    units = with_failures(_unit_totals(reading, measured, since, totals, now), measured)
    seen = ("arm", "requests", "last_time", *FAILURES)
    values = units.select(*seen, **unit_values(asked, totals)).select(*seen, **unit_products(asked))
    rows = _add_up(values, asked).collect("pyarrow").rows(named=True)
    collected = _collected(rows, asked, metrics, reading.version)
    if not special:
        return collected
    seen_units = reading.keep(units.select("unit", "arm", "first_time"))
    sums = special_sums(special, Rows(measured, reading.outcomes, seen_units), since, now)
    return replace(collected, evidence=replace(collected.evidence, sums={**collected.evidence.sums, **sums}))


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


def _add_up(units: Frame, metrics: Sequence[MetricDefinition]) -> Frame:
    """One row an arm; the row without an arm counts the units that were seen in several."""
    return units.group_by("arm").agg(
        nw.len().alias("units"),
        nw.col("requests", *FAILURES).sum().cast(nw.Int64),
        nw.col("last_time").max(),
        *sum_expressions(metrics),
    )


def _collected(
    rows: Sequence[Mapping[str, object]],
    asked: Sequence[MetricDefinition],
    metrics: Sequence[MetricDefinition],
    version: LakeVersion,
) -> CollectedEvidence:
    arms = {str(row["arm"]): row for row in rows if row["arm"] is not None}
    times = [row["last_time"] for row in rows if isinstance(row["last_time"], datetime)]
    found = read_evidence({arm: _whole(row["units"]) for arm, row in arms.items()}, asked, arms)
    return CollectedEvidence(
        _of(metrics, found),
        version,
        {arm: _whole(row["requests"]) for arm, row in arms.items()},
        sum(_whole(row["units"]) for row in rows if row["arm"] is None),
        max(times).astimezone(UTC) if times else None,
        known_sums(metrics, found.sums),
        read_answers(metrics, found.sums),
        last_answers={arm: _last_answers(row) for arm, row in arms.items()},
        reached={(key, arm): each for arm, row in arms.items() for key, each in read_reached(metrics, row).items()},
    )


def _last_answers(row: Mapping[str, object]) -> LastAnswers:
    users, failed_last, requests, failed = (
        _whole(row[name]) for name in ("units", "failed_last", "requests", "failed")
    )
    return LastAnswers(users, failed_last, requests, failed)


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - a count
    return value
