"""Bring what is kept up to the lake's version: what came in since, and the units that it is of."""

from pathlib import Path

import duckdb
import numpy as np
import structlog

from experiments.evidence.rows import measured_requests
from experiments.evidence.state.came import all_edge_arms, units_that_came
from experiments.evidence.state.growing import Growing
from experiments.evidence.state.store import Store, open_store
from experiments.evidence.state.sums import Kept, Sums, read_written, write_sums
from experiments.evidence.state.units import UnitSteps
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

    def add(self, requests: Frame) -> Sums:
        """Take these requests in."""
        measured = measured_requests(requests, self._kept.experiment, self._kept.starts[0])
        edge_arms = all_edge_arms(self._sums.edge_arms, measured)
        growing = Growing(self._kept, edge_arms)
        for came in units_that_came(self._reading, measured, self._kept, edge_arms):
            before = self._before(came)
            after = before.with_more(came)
            if self._store is not None:
                self._store.write(after)
            growing.change(before, after)
        return growing.added_to(self._sums, self._reading.version.requests)

    def _before(self, came: UnitSteps) -> UnitSteps:
        """The units that came, as they were."""
        wholes, steps = len(came.wholes), len(came.steps)
        if self._store is None:
            return UnitSteps.absent(came.units, wholes, steps)
        return self._store.read(came.units, wholes, steps).on_starts(self._moments)
