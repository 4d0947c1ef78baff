"""Totals by unit: what each step from one start to the next adds to them, in columns."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

ABSENT, IN_TWO_ARMS = -2, -1
"""In place of the number of a unit's arm."""

LARGEST_TOTAL = 2**55
"""A total beyond might not be added to those of a hundred other steps."""

MOST_EDGE_ARMS = 62
"""So many pairs of an edge and an arm have a bit each; those beyond share the one that is left."""


@dataclass(frozen=True, slots=True)
class UnitSteps:
    """Units with their arms, by number, the times of their newest requests and of the newest that failed, and totals.

    Times are in microseconds, 0 where there is none. `seen` has a bit for each pair of an edge and an arm that the unit
    was seen at. `wholes` has a row a total since the first start, and a column a
    unit. `steps` has a row a total and a column a step, in the order of units and starts: `owners` has the place of
    each step's unit in `units`, and `starts` the step's start in microseconds.
    """

    units: Whole
    arms: Whole
    newest: Whole
    failed: Whole
    seen: Whole
    wholes: Whole
    owners: Whole
    starts: Whole
    steps: Whole

    @classmethod
    def absent(cls, units: Whole, wholes: int, steps: int) -> "UnitSteps":
        """Units of which nothing has come yet, with so many totals of either sort."""
        nothing, empty = np.zeros(len(units), np.int64), np.zeros(0, np.int64)
        none_of_all, none = np.zeros((wholes, len(units)), np.int64), np.zeros((steps, 0), np.int64)
        return cls(units, nothing + ABSENT, nothing, nothing, nothing, none_of_all, empty, empty, none)

    @property
    def failed_last(self) -> NDArray[np.bool_]:
        """Of each unit, whether its newest request was not answered."""
        found: NDArray[np.bool_] = (self.failed == self.newest) & (self.failed > 0) & (self.arms >= 0)
        return found

    def on_starts(self, moments: Whole) -> "UnitSteps":
        """With the newest of these starts at or before each step's: between them are only such as are kept no more."""
        return replace(self, starts=moments[np.searchsorted(moments, self.starts, side="right") - 1])

    def with_more(self, came: "UnitSteps") -> "UnitSteps":
        """The same units with what came of them.

        Raises:
            OverflowError: a total is beyond what can be added.

        """
        same = (self.arms == ABSENT) | (self.arms == came.arms)
        arms = np.where(same, came.arms, IN_TWO_ARMS)
        owners, starts, steps = came.owners, came.starts, came.steps
        if len(self.owners):
            owners, starts = np.append(self.owners, owners), np.append(self.starts, starts)
            order = np.lexsort((starts, owners))
            owners, starts = owners[order], starts[order]
            first = np.flatnonzero(begins(owners, starts))
            steps = added_up(np.concatenate([self.steps, steps], axis=1)[:, order], first)
            owners, starts = owners[first], starts[first]
        if (arms < 0).any():
            counts = arms[owners] >= 0
            owners, starts, steps = owners[counts], starts[counts], steps[:, counts]
        newest, failed = np.maximum(self.newest, came.newest), np.maximum(self.failed, came.failed)
        seen, wholes = self.seen | came.seen, self.wholes + came.wholes
        return UnitSteps(self.units, arms, newest, failed, seen, wholes, owners, starts, steps)


def begins(*columns: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Of each row, whether it differs in one of the columns from the row before."""
    found = np.zeros(len(columns[0]), np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found


def added_up(columns: Whole, first: Whole) -> Whole:
    """The sums of each row of columns between these places. Raises `OverflowError` as `checked` does."""
    return checked(np.add.reduceat(columns, first, axis=1) if len(first) else columns[:, :0])


def checked(totals: Whole) -> Whole:
    """The totals. Raises `OverflowError` where one is beyond what can be added."""
    if max(int(totals.max(initial=0)), -int(totals.min(initial=0))) > LARGEST_TOTAL:
        raise OverflowError("a unit's total is beyond what can be kept")
    return totals
