"""What units did before the experiment: their totals, as they come from the lake, and while all are read at once."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from experiments.evidence.metric_sums import distinct_measures
from experiments.evidence.rows import past_requests, total
from experiments.evidence.state.came import BATCH_ROWS
from experiments.evidence.state.sums import Kept
from experiments.evidence.state.units import Whole, checked
from routing.lake.reading import Frame, Reading


class Pasts(Protocol):
    """Where the totals are kept, a row a total and a column a unit."""

    def read_pasts(self, units: Whole, totals: int) -> Whole:
        """So many totals of these units; zeros where nothing is kept."""

    def write_pasts(self, units: Whole, totals: Whole) -> None:
        """In place of what was kept of these units."""


class PastsInMemory:
    """Each unit is written once, and before any is read."""

    def __init__(self) -> None:
        self._units: list[Whole] = []
        self._totals: list[Whole] = []

    def read_pasts(self, units: Whole, totals: int) -> Whole:
        """As `Pasts` says."""
        found = np.zeros((totals, len(units)), np.int64)
        if self._units:
            self._join()
            [known], [kept] = self._units, self._totals
            places = np.minimum(np.searchsorted(known, units), len(known) - 1)
            is_known = known[places] == units
            found[:, is_known] = kept[:, places[is_known]]
        return found

    def write_pasts(self, units: Whole, totals: Whole) -> None:
        """As `Pasts` says."""
        self._units.append(units)
        self._totals.append(totals)

    def _join(self) -> None:
        if len(self._units) > 1:
            units, totals = np.concatenate(self._units), np.concatenate(self._totals, axis=1)
            order = np.argsort(units)
            self._units, self._totals = [units[order]], [totals[:, order]]


def pasts_that_came(reading: Reading, requests: Frame, kept: Kept) -> Iterator[tuple[Whole, Whole]]:
    """Units, and what these requests add to the totals of their past, however many there are; each unit once.

    Raises:
        OverflowError: a total is beyond what can be kept.

    """
    if not kept.adjusted or (past := kept.adjusted[0].past) is None:
        return
    measures = distinct_measures(kept.of_past)
    rows = past_requests(requests, kept.experiment, past.endpoint, past.since, kept.starts[0])
    values = rows.select("unit", **{column: measure.value() for measure, column in measures.items()})
    totals = values.group_by("unit").agg(*(total(column, measure.number) for measure, column in measures.items()))
    for batch in reading.stream(totals, BATCH_ROWS):
        if batch.num_rows:
            columns = [batch[column].to_numpy(zero_copy_only=False) for column in measures.values()]
            units = batch["unit"].to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
            yield units, checked(np.array(columns, np.int64))
