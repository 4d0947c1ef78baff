"""Bring what is kept up to the lake's version: what came in since, and the units that it is of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from experiments.evidence.growth import growth_sums
from experiments.evidence.measures import not_answered
from experiments.evidence.metric_sums import distinct_measures, unit_products, unit_values
from experiments.evidence.rows import measured_requests, starts_after, total
from experiments.evidence.state.store import ABSENT, IN_TWO_ARMS, Store, UnitSteps, Whole, open_store
from experiments.evidence.state.sums import Kept, Row, Sums, microseconds, read_written, write_sums
from routing.lake.reading import Frame, Reading

log = structlog.get_logger(__name__)

BATCH_STEPS = 100_000

LARGEST_TOTAL = 2**55
"""A total beyond might not be added to those of a hundred other steps."""


def advance(path: Path, reading: Reading, kept: Kept) -> Sums:
    """The sums at the version of the lake that is read, from the file at `path`, which then carries that version.

    Its time follows the requests that came since, and their units. Where the file or the lake cannot tell what came,
    all is read anew.

    Raises:
        sqlite3.Error: the file cannot be read or written now.
        OverflowError: a unit's total is beyond what can be kept.

    """
    with open_store(path) as store:
        shape = f"{reading.identity} {kept.shape}"
        sums = read_written(store.sums(), shape)
        if sums is not None and sums.version == reading.version.requests and sums.rows.keys() >= set(kept.moments):
            return sums
        added = _added_requests(reading, sums, kept)
        if sums is None or added is None:
            log.info("evidence is read anew", experiment=kept.experiment)
            store.clear()
            sums, added = Sums(shape), reading.requests
        found = _Advance(store, reading, kept, sums).add(added)
        store.write_sums(write_sums(found))
        return found


def _added_requests(reading: Reading, sums: Sums | None, kept: Kept) -> Frame | None:
    """What came since; None where that cannot be told, or cannot be told apart from what came before."""
    if sums is None or not sums.knows(kept.moments):
        return None
    try:
        return reading.requests_since(sums.version)
    except duckdb.Error:
        return None


@dataclass(frozen=True, slots=True)
class _Running:
    """Totals since a bucket, one row a unit and bucket, which add to the sums or are taken off them."""

    sign: int
    buckets: Whole
    arms: Whole
    totals: Whole


class _Advance:
    """One step from one version of the lake to another."""

    def __init__(self, store: Store, reading: Reading, kept: Kept, sums: Sums) -> None:
        self._store = store
        self._reading = reading
        self._kept = kept
        self._sums = sums
        self._totals = distinct_measures(kept.metrics)
        self._moments = np.array(kept.moments, np.int64)
        # That of the lake is still giving out what came.
        self._beside = reading.connection.cursor()

    def add(self, requests: Frame) -> Sums:
        """Take these requests in."""
        for came in self._batches(requests):
            self._add(came)
        return self._sums.grown(self._kept.moments, {}, version=self._reading.version.requests)

    def _add(self, came: pa.Table) -> None:
        """Take in all that came of some units."""
        arms = _all_arms(self._sums.arms, came)
        before, after = self._before_and_after(came, arms)
        self._store.write(after)
        self._sums = self._sums.grown(
            self._kept.moments,
            self._growth(before, after, arms),
            arms=arms,
            newest=max(self._sums.newest, microseconds(pc.max(came["newest"]).as_py())),
            in_two_arms=self._sums.in_two_arms + _in_two_arms(after) - _in_two_arms(before),
            failed_last=self._failed_last(before, after, arms),
        )

    def _failed_last(self, before: UnitSteps, after: UnitSteps, arms: Sequence[str]) -> Mapping[str, int]:
        went, came = (np.bincount(each.arms[each.failed_last], minlength=len(arms)) for each in (before, after))
        known = self._sums.failed_last
        return {arm: known.get(arm, 0) + int(came[number] - went[number]) for number, arm in enumerate(arms)}

    def _batches(self, requests: Frame) -> Iterator[pa.Table]:
        """By unit and bucket of time, as `starts_after` numbers them: arms, the newest time, and totals.

        However many there are, a batch has so many at most, and all of each unit.
        """
        measured = measured_requests(requests, self._kept.experiment, self._kept.starts[0])
        values = {column: measure.value() for measure, column in self._totals.items()}
        failed = nw.when(not_answered()).then(nw.col("time"))
        steps = (
            measured.select("unit", "variant", "time", bucket=starts_after(self._kept.starts), failed=failed, **values)
            .group_by("unit", "bucket")
            .agg(
                nw.col("variant").min().alias("arm"),
                nw.col("variant").max().alias("other_arm"),
                nw.col("time").max().alias("newest"),
                nw.col("failed").max(),
                *(total(column, measure.number) for measure, column in self._totals.items()),
            )
        )
        yield from _of_whole_units(steps.sort("unit").to_native().to_arrow_reader(BATCH_STEPS))

    def _before_and_after(self, came: pa.Table, arms: Sequence[str]) -> tuple[UnitSteps, UnitSteps]:
        """The units that came, as they were and as they are now."""
        units, first, places = np.unique(_column(came, "unit"), return_index=True, return_inverse=True)
        before = self._store.read(units, len(self._totals))
        known = _added_up(_on_starts(before.steps, self._moments))
        starts = self._moments[len(self._moments) - 1 - _column(came, "bucket")]
        new = np.column_stack([places, starts, *(_column(came, column) for column in self._totals.values())])
        lowest, highest = (_numbers_of_arms(came[name], arms) for name in ("arm", "other_arm"))
        now = _arms_now(before.arms, lowest, highest, first)
        steps = _added_up(np.concatenate([known, new]))
        newest, failed = (np.maximum.reduceat(_times(came, name), first) for name in ("newest", "failed"))
        newest, failed = np.maximum(newest, before.newest), np.maximum(failed, before.failed)
        return replace(before, steps=known), UnitSteps(units, now, newest, failed, steps[now[steps[:, 0]] >= 0])

    def _growth(self, before: UnitSteps, after: UnitSteps, arms: Sequence[str]) -> Mapping[int, Mapping[str, Row]]:
        """By start, what the units add now to the sums since then, less what they did before."""
        came, went = self._running(after, 1), self._running(before, -1)
        table = pa.concat_tables([self._table(rows, arms) for rows in (*came, *went)])
        metrics, signed = self._kept.metrics, nw.col("sign")
        totals = nw.from_native(self._beside.from_arrow(table))
        products = totals.select("sign", "bucket", "arm", **unit_values(metrics, self._totals)).select(
            "bucket", "arm", units=signed, **{name: signed * each for name, each in unit_products(metrics).items()}
        )
        found: dict[int, dict[str, Row]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
        for row in products.group_by("bucket", "arm").agg(*growth_sums(metrics)).collect("pyarrow").rows(named=True):
            arm, since = str(row.pop("arm")), len(self._moments) - int(row.pop("bucket"))
            for moment in self._kept.moments[:since]:
                for column, value in row.items():
                    found[moment][arm][column] += int(value)
        return found

    def _running(self, units: UnitSteps, sign: int) -> tuple[_Running, _Running]:
        """Each unit's totals since each of its steps, and with the other sign those without the step."""
        steps = units.steps[::-1]
        owners, buckets = steps[:, 0], len(self._moments) - np.searchsorted(self._moments, steps[:, 1], side="right")
        totals = np.cumsum(steps[:, 2:], axis=0)
        is_first = np.append(True, owners[1:] != owners[:-1])[: len(owners)]
        others = np.concatenate([np.zeros_like(totals[:1]), totals[:-1]])[: len(totals)]
        totals -= others[is_first].repeat(np.diff(np.append(np.flatnonzero(is_first), len(owners))), axis=0)
        again = ~is_first
        arms = units.arms[owners]
        shorter = totals[np.flatnonzero(again) - 1]
        return _Running(sign, buckets, arms, totals), _Running(-sign, buckets[again], arms[again], shorter)

    def _table(self, rows: _Running, arms: Sequence[str]) -> pa.Table:
        columns = {"sign": np.full(len(rows.buckets), rows.sign), "bucket": rows.buckets}
        columns |= dict(zip(self._totals.values(), rows.totals.T, strict=True))
        return pa.table({**columns, "arm": pa.array(arms, pa.string()).take(pa.array(rows.arms))})


def _of_whole_units(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same, where the last unit of a batch waits for the next."""
    rest: pa.Table | None = None
    for batch in batches:
        came = pa.Table.from_batches([batch])
        came = pa.concat_tables([rest, came]) if rest is not None else came
        first_of_last = int(np.searchsorted(_column(came, "unit"), came["unit"][-1].as_py()))
        rest = came.slice(first_of_last)
        if first_of_last:
            yield came.slice(0, first_of_last)
    if rest is not None:
        yield rest


def _all_arms(known: tuple[str, ...], came: pa.Table) -> tuple[str, ...]:
    new = {arm for name in ("arm", "other_arm") for arm in pc.unique(came[name]).to_pylist()}
    return (*known, *sorted(new - set(known)))


def _column(table: pa.Table, name: str) -> Whole:
    found: Whole = table[name].to_numpy().astype(np.int64)
    return found


def _times(table: pa.Table, name: str) -> Whole:
    """In microseconds, 0 where there is none."""
    found: Whole = pc.fill_null(table[name].cast(pa.timestamp("us", "UTC")).cast(pa.int64()), 0).to_numpy()
    return found


def _numbers_of_arms(column: pa.ChunkedArray, arms: Sequence[str]) -> Whole:
    found: Whole = pc.index_in(column, value_set=pa.array(arms, pa.string())).to_numpy().astype(np.int64)
    return found


def _arms_now(before: Whole, lowest: Whole, highest: Whole, first: Whole) -> Whole:
    """Each unit's arm, from what was known and from its rows, of which each unit's begin at `first`."""
    low, high = np.minimum.reduceat(lowest, first), np.maximum.reduceat(highest, first)
    same = (low == high) & ((before == ABSENT) | (before == low))
    return np.where(same, low, IN_TWO_ARMS)


def _on_starts(steps: Whole, moments: Whole) -> Whole:
    """The steps with the newest start at or before theirs: between them are only starts that are not kept any more."""
    if not len(steps):
        return steps
    kept = moments[np.searchsorted(moments, steps[:, 1], side="right") - 1]
    return np.column_stack([steps[:, 0], kept, steps[:, 2:]])


def _added_up(steps: Whole) -> Whole:
    """One step a unit and start, in their order. Raises `OverflowError` where a total is beyond what can be added."""
    if not len(steps):
        return steps
    if np.abs(steps[:, 2:]).max(initial=0) > LARGEST_TOTAL:
        raise OverflowError("a unit's total is beyond what can be kept")
    ordered = steps[np.lexsort((steps[:, 1], steps[:, 0]))]
    is_first = np.append(True, (ordered[1:, :2] != ordered[:-1, :2]).any(axis=1))
    first = np.flatnonzero(is_first)
    return np.column_stack([ordered[first, :2], np.add.reduceat(ordered[:, 2:], first, axis=0)])


def _in_two_arms(units: UnitSteps) -> int:
    return int(np.count_nonzero(units.arms == IN_TWO_ARMS))
