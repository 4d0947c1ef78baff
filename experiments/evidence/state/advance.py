"""Bring what is kept up to the lake's version: what came in since, and the units that it is of."""

from pathlib import Path

import duckdb
import numpy as np
import structlog

from experiments.evidence.metric_sums import distinct_measures
from experiments.evidence.rows import measured_requests
from experiments.evidence.state.came import all_edge_arms, units_that_came
from experiments.evidence.state.growing import Growing
from experiments.evidence.state.pasts import Pasts, PastsInMemory, pasts_that_came
from experiments.evidence.state.store import Store, open_store
from experiments.evidence.state.sums import Kept, Sums, read_written, write_sums
from experiments.evidence.state.units import UnitSteps, Whole
from routing.lake.reading import Frame, Reading

log = structlog.get_logger(__name__)


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
            sums, added = Sums(shape), reading.requests_to_stream
        found = _Advance(store, reading, kept, sums).add(added)
        store.write_sums(write_sums(found))
        return found


def sums_of_all(reading: Reading, kept: Kept) -> Sums:
    """The same sums from all rows, of which nothing is kept. Raises `OverflowError` as `advance` does."""
    return _Advance(None, reading, kept, Sums("")).add(reading.requests_to_stream)


def _added_requests(reading: Reading, sums: Sums | None, kept: Kept) -> Frame | None:
    """What came since; None where that cannot be told, or cannot be told apart from what came before."""
    if sums is None or not sums.knows(kept.moments):
        return None
    try:
        return reading.requests_since(sums.version)
    except duckdb.Error:
        return None


class _Advance:
    """One step from one version of the lake to another; without a store all comes at once."""

    def __init__(self, store: Store | None, reading: Reading, kept: Kept, sums: Sums) -> None:
        self._store = store
        self._reading = reading
        self._kept = kept
        self._sums = sums
        self._moments = np.array(kept.moments, np.int64)
        self._pasts: Pasts = PastsInMemory() if store is None else store
        self._past_totals = len(distinct_measures(kept.of_past))

    def add(self, requests: Frame) -> Sums:
        """Take these requests in."""
        measured = measured_requests(requests, self._kept.experiment, self._kept.starts[0])
        edge_arms = all_edge_arms(self._sums.edge_arms, measured)
        growing = Growing(self._kept, edge_arms)
        for units, more in pasts_that_came(self._reading, requests, self._kept):
            self._add_past(growing, units, more)
        for came in units_that_came(self._reading, measured, self._kept, edge_arms):
            before = self._before(came.units, len(came.wholes), len(came.steps))
            after = before.with_more(came)
            if self._store is not None:
                self._store.write(after)
            growing.change(before, after)
            if self._kept.adjusted:
                past = self._pasts.read_pasts(came.units, self._past_totals)
                growing.change_pasts(before, after, past, past)
        return growing.added_to(self._sums, self._reading.version.requests)

    def _add_past(self, growing: Growing, units: Whole, more: Whole) -> None:
        """Take more of the past of some units in; those who have come already count otherwise from now on."""
        before = self._pasts.read_pasts(units, self._past_totals)
        self._pasts.write_pasts(units, before + more)
        if self._sums.rows:
            wholes, steps = (len(distinct_measures(metrics)) for metrics in (self._kept.of_all, self._kept.metrics))
            known = self._before(units, wholes, steps)
            growing.change_pasts(known, known, before, before + more)

    def _before(self, units: Whole, wholes: int, steps: int) -> UnitSteps:
        """Units as they were, with so many totals of either sort."""
        if self._store is None:
            return UnitSteps.absent(units, wholes, steps)
        return self._store.read(units, wholes, steps).on_starts(self._moments)
