"""What came since, unit by unit: from rows of requests to the steps that they add."""

from collections.abc import Iterable, Iterator, Sequence

import narwhals as nw
import numpy as np
import pyarrow as pa

from experiments.evidence.measures import not_answered
from experiments.evidence.metric_sums import distinct_measures
from experiments.evidence.state.sums import EdgeArm, Kept
from experiments.evidence.state.units import IN_TWO_ARMS, MOST_EDGE_ARMS, UnitSteps, Whole, begins, checked
from routing.lake.reading import Frame, Reading

BATCH_ROWS = 50_000

LARGEST_SUM = 2**62
"""No sum of what a unit's rows add, in any order, is beyond."""


def all_edge_arms(known: Sequence[EdgeArm], measured: Frame) -> tuple[EdgeArm, ...]:
    """The pairs of an edge and an arm known before, and then those that come first with these requests."""
    new = set(measured.select("edge", "variant").unique().collect("pyarrow").iter_rows())
    return (*known, *sorted(new - set(known)))


def all_arms(edge_arms: Iterable[EdgeArm]) -> tuple[str, ...]:
    """The arms of these pairs, in the order in which they come first."""
    return tuple(dict.fromkeys(arm for _, arm in edge_arms))


def units_that_came(reading: Reading, measured: Frame, kept: Kept, edge_arms: Sequence[EdgeArm]) -> Iterator[UnitSteps]:
    """All that came of some units, and then of others, however many rows there are.

    Raises:
        OverflowError: what a unit's rows add is beyond what can be added up.

    """
    measures = distinct_measures((*kept.metrics, *kept.of_all))
    values = {
        column: measure.value().fill_null(0).cast(nw.Int8 if measure.is_indicator else nw.Int64)
        for measure, column in measures.items()
    }
    failed = nw.when(not_answered()).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int8)
    numbers = {"arm": _number("variant", all_arms(edge_arms)), "edge": _number("edge", _edges(edge_arms))}
    rows = measured.select("unit", "time", **numbers, failed=failed, **values).sort("unit", "time")
    of_steps, of_wholes = (
        [measures[measure] for measure in distinct_measures(metrics)] for metrics in (kept.metrics, kept.of_all)
    )
    moments = np.array(kept.moments, np.int64)
    bits = _bits(edge_arms)
    for batch in _of_whole_units(reading.stream(rows, BATCH_ROWS)):
        yield _steps(batch, moments, of_steps, of_wholes, bits)


def _edges(edge_arms: Iterable[EdgeArm]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(edge for edge, _ in edge_arms))


def _bits(edge_arms: Sequence[EdgeArm]) -> Whole:
    """That of each pair, by the numbers of its edge and of its arm."""
    edges, arms = _edges(edge_arms), all_arms(edge_arms)
    found = np.zeros((len(edges), len(arms)), np.int64)
    for place, (edge, arm) in enumerate(edge_arms):
        found[edges.index(edge), arms.index(arm)] = 1 << min(place, MOST_EDGE_ARMS)
    return found


def _number(column: str, names: Sequence[str]) -> nw.Expr:
    """The place among these names of what a row has in a column."""
    number = nw.lit(0)
    for place, name in enumerate(names):
        number = nw.when(nw.col(column) == name).then(nw.lit(place)).otherwise(number)
    return number.cast(nw.Int16)


def _steps(rows: pa.Table, moments: Whole, of_steps: Sequence[str], of_wholes: Sequence[str], bits: Whole) -> UnitSteps:
    units, arms, edges = (rows[name].to_numpy().astype(np.int64, copy=False) for name in ("unit", "arm", "edge"))
    times = rows["time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    starts = np.searchsorted(moments, times, side="right") - 1
    first = np.flatnonzero(begins(units))
    step = np.flatnonzero(begins(units, starts))
    lowest, highest = np.minimum.reduceat(arms, first), np.maximum.reduceat(arms, first)
    most = int(np.diff(first, append=len(units)).max())
    return UnitSteps(
        units[first],
        np.where(lowest == highest, lowest, IN_TWO_ARMS),
        np.maximum.reduceat(times, first),
        np.maximum.reduceat(np.where(rows["failed"].to_numpy() > 0, times, 0), first),
        np.bitwise_or.reduceat(bits[edges, arms], first),
        _added_up(rows, of_wholes, first, most),
        np.searchsorted(first, step, side="right") - 1,
        moments[starts[step]],
        _added_up(rows, of_steps, step, most),
    )


def _added_up(rows: pa.Table, columns: Sequence[str], first: Whole, most: int) -> Whole:
    """The sums of each of these columns between these places, where a unit has so many rows at the most."""
    found = np.empty((len(columns), len(first)), np.int64)
    for number, name in enumerate(columns):
        column = rows[name].to_numpy()
        if max(int(column.max()), -int(column.min())) * most > LARGEST_SUM:
            raise OverflowError("what a unit's requests add is beyond what can be added up")
        found[number] = np.add.reduceat(column, first, dtype=np.int64)
    return checked(found)


def _of_whole_units(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same, where the last unit of a batch waits for the next."""
    rest: pa.Table | None = None
    for batch in batches:
        came = pa.Table.from_batches([batch])
        came = pa.concat_tables([rest, came]) if rest is not None else came
        units = came["unit"].to_numpy()
        first_of_last = int(np.searchsorted(units, units[-1:])[0])
        rest = came.slice(first_of_last)
        if first_of_last:
            yield came.slice(0, first_of_last)
    if rest is not None:
        yield rest
