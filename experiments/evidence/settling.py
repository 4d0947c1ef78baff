"""Until when requests count for metrics of outcomes: those that have had the time to get theirs, alike in all arms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import narwhals as nw
import numpy as np
import pyarrow as pa

from experiments.evidence.metric_sums import MetricDefinition, names_over, outcome_names
from experiments.evidence.own_metrics import ANSWERED
from experiments.evidence.rows import attributed_outcomes, total, units_of
from experiments.stats.core.types import UnitSums
from experiments.stats.health.delays import STEPS, Delays, delay_scores, settling_seconds, youngest
from experiments.stats.health.late import OutcomeTiming, Silence
from routing.lake.reading import Frame, Reading

TICK_SECONDS = 10.0
FEWEST_TICKS = 3.0
"""A request waits so many ticks at least for its outcome, as the rows of both come in their own time."""

LATELY = 20.0
"""Times the settling time that the newest requests reach back in which delays are compared again."""

PRODUCTS = {
    "sum_y": nw.col("known"),
    "sum_d": nw.col("answered"),
    "sum_yy": nw.col("known") * nw.col("known"),
    "sum_dd": nw.col("answered") * nw.col("answered"),
    "sum_yd": nw.col("known") * nw.col("answered"),
}

Arms = dict[str, Delays]
Newest = Mapping[str, Mapping[str, datetime]]


@dataclass(frozen=True, slots=True)
class Settled:
    """The metrics with the moment until which requests count, without those of which it is not known yet.

    `timings` says of each metric of outcomes how these come.
    """

    metrics: tuple[MetricDefinition, ...]
    timings: Mapping[str, OutcomeTiming] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Need:
    """What settles alike: outcomes by name, a stated time, what counts as their start, and those that all need."""

    names: tuple[str, ...]
    stated: float | None
    since: str
    over: tuple[str, ...]

    @classmethod
    def of(cls, metric: MetricDefinition, names: tuple[str, ...]) -> "_Need":
        # In a window an outcome counts by when it happened, and not by when it became known.
        since = "asked_at" if metric.window is None else "time"
        return cls(names, metric.settling_seconds, since, names_over(metric))


def settle(
    reading: Reading,
    measured: Frame,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
    *,
    now: datetime,
    tick_seconds: float = TICK_SECONDS,
) -> Settled:
    """Find out for each metric of outcomes which requests have settled at a moment.

    That is, which are older than the stated time, or than the one in which 99 % of the outcomes of the slower arm come
    (`stats.delays`), and 3 ticks at least; and no newer than the newest request of each arm that has an outcome, unless
    an arm has had none for 100 times as long. Without 10 outcomes of an arm nothing is measured of it.
    """
    needs = {metric.key: _Need.of(metric, names) for metric in metrics if (names := outcome_names(metric))}
    if not needs:
        return Settled(tuple(metrics))
    wanted = {name for need in needs.values() for name in need.names}
    units = reading.keep(units_of(measured, {}).filter(~nw.col("arm").is_null()))
    outcomes = attributed_outcomes(reading.outcomes, measured, units, wanted, started_at)
    owned = reading.keep(outcomes.filter(nw.col("known_at") <= now).join(units.select("unit", "arm"), on="unit"))
    first = units.group_by("arm").agg(nw.col("first_time").min()).sort("arm").collect("pyarrow")
    firsts: dict[str, datetime] = dict(first.select("arm", "first_time").rows())
    look = _Look(reading, measured, owned, units, firsts, now, FEWEST_TICKS * tick_seconds)
    found = {need: look.at(need) for need in set(needs.values())}
    untils = {key: found[need][0] for key, need in needs.items()}
    return Settled(
        tuple(
            replace(metric, until=untils.get(metric.key))
            for metric in metrics
            if metric.key not in untils or untils[metric.key] is not None
        ),
        {key: found[need][1] for key, need in needs.items()},
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """One moment's rows: measured requests, outcomes with the arm of their unit, and units, which have one arm each.

    `firsts` has each arm's first request.
    """

    reading: Reading
    measured: Frame
    outcomes: Frame
    units: Frame
    firsts: Mapping[str, datetime]
    now: datetime
    shortest: float

    def at(self, need: _Need) -> tuple[datetime | None, OutcomeTiming]:
        """Until when requests count, and how the outcomes come."""
        rows = self._rows(need)
        delays = self._delays(rows, need.names)
        counts = {name: {arm: each.total for arm, each in arms.items()} for name, arms in delays.items()}
        settling = need.stated if need.stated is not None else self._measured(delays)
        if settling is None:
            # Both arms' requests are of the same ages, so that what is seen too soon is so in both alike.
            sums = _score_sums(self._scored(need, rows, delays))
            return None, OutcomeTiming(None, False, counts, sums, sums)
        newest = _newest(rows, need.names)
        ripe = self.now - timedelta(seconds=settling)
        until = ripe if need.stated is not None else self.now - self._youngest(settling, newest, delays)
        scored = self._scored(need, rows, delays).filter(nw.col("since") <= until)
        lately = until - timedelta(seconds=LATELY * settling)
        timing = OutcomeTiming(
            settling,
            need.stated is not None,
            counts,
            _score_sums(scored),
            _score_sums(scored.filter(nw.col("since") > lately)),
            self._silences(newest, ripe),
            self._answers(need.over, until) if need.over else {},
        )
        return until, timing

    def _measured(self, delays: Mapping[str, Arms]) -> float | None:
        """The time in which the slowest of the outcomes settle; None while that of any is not known."""
        oldest = max(((self.now - first).total_seconds() for first in self.firsts.values()), default=0.0)
        found = [settling_seconds(list(arms.values()), self.shortest, oldest) for arms in delays.values()]
        known = [each for each in found if each is not None]
        return max(known) if len(known) == len(found) else None

    def _delays(self, rows: Frame, names: Iterable[str]) -> dict[str, Arms]:
        """By outcome's name and every arm, how many outcomes came how late to requests of which age."""
        table = rows.group_by("name", "arm", "age", "delay").agg(nw.len().alias("count")).collect("pyarrow")
        owners = np.array([f"{name}\n{arm}" for name, arm in table.select("name", "arm").rows()], dtype=np.str_)
        ages, delays, counts = (table[each].to_numpy().astype(np.int64) for each in ("age", "delay", "count"))
        of = {(name, arm): owners == f"{name}\n{arm}" for name in names for arm in self.firsts}
        return {
            name: {arm: Delays(*(each[of[name, arm]] for each in (ages, delays, counts))) for arm in self.firsts}
            for name in names
        }

    def _youngest(self, settling: float, newest: Newest, delays: Mapping[str, Arms]) -> timedelta:
        """The age from which on requests count; an arm with too few outcomes does not hold them up."""
        known = [last for name, arms in newest.items() for arm, last in arms.items() if delays[name][arm].is_known]
        return timedelta(seconds=youngest(settling, [(self.now - last).total_seconds() for last in known]))

    def _rows(self, need: _Need) -> Frame:
        """One row an outcome, the first of its name to its request, with its delay and age in steps of the scale."""
        first = (
            self.outcomes.filter(nw.col("name").is_in(need.names))
            .select("arm", "unit", "name", "known_at", since=nw.col(need.since))
            .group_by("arm", "unit", "name", "since")
            .agg(nw.col("known_at").min())
        )
        first = first.with_columns(now=nw.lit(self.now))
        timed = self.reading.with_milliseconds(first, delay=("since", "known_at"), age=("since", "now"))
        delay, age = (nw.col(name) / 1000.0 for name in ("delay", "age"))
        steps = timed.with_columns(
            seconds=delay,
            delay=(nw.max_horizontal(delay, nw.lit(1.0)).log(2.0) * STEPS - 1e-9).ceil().cast(nw.Int64),
            age=(nw.max_horizontal(age, nw.lit(1.0)).log(2.0) * STEPS + 1e-9).floor().cast(nw.Int64),
        )
        return self.reading.keep(steps)

    def _scored(self, need: _Need, rows: Frame, delays: Mapping[str, Arms]) -> Frame:
        """The outcomes with what is compared between arms: whether they came in the stated time, or how late."""
        if need.stated is not None:
            in_time = nw.when(nw.col("seconds") <= need.stated).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
            return rows.select("arm", "unit", "since", score=in_time)
        columns: dict[str, list[object]] = {"name": [], "delay": [], "score": []}
        for name, arms in delays.items():
            for step, score in zip(*delay_scores(list(arms.values())), strict=True):
                for column, value in zip(columns.values(), (name, int(step), float(score)), strict=True):
                    column.append(value)
        kinds = (pa.string(), pa.int64(), pa.float64())
        table = pa.table({each: pa.array(columns[each], kind) for each, kind in zip(columns, kinds, strict=True)})
        return rows.join(self.reading.rows(table), on=["name", "delay"]).select("arm", "unit", "since", "score")

    def _silences(self, newest: Newest, ripe: datetime) -> Mapping[str, Mapping[str, Silence]]:
        """Requests since an arm's newest one with an outcome; only where there may be such that should have one."""
        found: dict[str, dict[str, Silence]] = defaultdict(dict)
        for name, arms in newest.items():
            for arm, last in arms.items():
                if last < ripe:
                    found[name][arm] = self._silence(arm, last, ripe)
        return dict(found)

    def _silence(self, arm: str, last: datetime, ripe: datetime) -> Silence:
        mine = self.measured.filter(nw.col("variant") == arm)
        before, after = nw.col("time") <= last, (nw.col("time") > last) & (nw.col("time") <= ripe)
        [row] = mine.select(before=_how_many(before), after=_how_many(after)).collect("pyarrow").rows(named=True)
        return Silence(int(row["before"] or 0), int(row["after"] or 0))

    def _answers(self, names: tuple[str, ...], until: datetime) -> Mapping[str, UnitSums]:
        """Of a unit's answered requests that count, those that have all outcomes."""
        told = (
            self.outcomes.filter(nw.col("name").is_in(names))
            .select("unit", "name", time=nw.col("asked_at"))
            .group_by("unit", "time")
            .agg(nw.col("name").n_unique().alias("told"))
        )
        answered = self.measured.filter(nw.col("time") <= until).select("unit", "time", answered=ANSWERED.value())
        known = nw.when(nw.col("told") == len(names)).then(nw.col("answered")).otherwise(nw.lit(0))
        by_unit = (
            answered.join(told, on=["unit", "time"], how="left")
            .select("unit", "answered", known=known)
            .group_by("unit")
            .agg(total("known"), total("answered"))
        )
        return _sums_by_arm(by_unit.join(self.units.select("unit", "arm"), on="unit"))


def _how_many(are: nw.Expr) -> nw.Expr:
    return nw.when(are).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def _newest(rows: Frame, names: Iterable[str]) -> Newest:
    """By outcome's name and arm, the newest request that has one."""
    found: dict[str, dict[str, datetime]] = {name: {} for name in names}
    table = rows.group_by("name", "arm").agg(nw.col("since").max()).collect("pyarrow")
    for name, arm, since in table.select("name", "arm", "since").rows():
        found[name][arm] = since
    return found


def _score_sums(scored: Frame) -> Mapping[str, UnitSums]:
    by_unit = scored.group_by("arm", "unit").agg(
        total("score").alias("known"), nw.len().cast(nw.Float64).alias("answered")
    )
    return _sums_by_arm(by_unit)


def _sums_by_arm(by_unit: Frame) -> Mapping[str, UnitSums]:
    """Sums over units by `arm`, from one row a unit with Y in `known` and D in `answered`."""
    products = by_unit.select("arm", **PRODUCTS).group_by("arm").agg(nw.len().alias("units"), *map(total, PRODUCTS))
    rows = products.collect("pyarrow").rows(named=True)
    return {row["arm"]: UnitSums(int(row["units"]), *(float(row[name]) for name in PRODUCTS)) for row in rows}
