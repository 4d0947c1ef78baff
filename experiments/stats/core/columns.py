"""Many metrics at once: numbers in columns, one entry a (metric, candidate)."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.stats.core.arrays import Floats
from experiments.stats.core.types import UnitSums

Row = TypeVar("Row")

_IN_ORDER = attrgetter("units", "sum_y", "sum_d", "sum_yy", "sum_dd", "sum_yd")


@dataclass(frozen=True, slots=True)
class SumsColumns:
    """`UnitSums` of many cells, one column a field. All have the same shape."""

    units: Floats
    sum_y: Floats
    sum_d: Floats
    sum_yy: Floats
    sum_dd: Floats
    sum_yd: Floats

    @classmethod
    def of(cls, sums: Sequence[UnitSums]) -> "SumsColumns":
        """Columns from rows."""
        numbers = np.fromiter(chain.from_iterable(map(_IN_ORDER, sums)), np.float64, 6 * len(sums))
        return cls(*numbers.reshape(len(sums), 6).T)

    @classmethod
    def joined(cls, parts: Sequence["SumsColumns"]) -> "SumsColumns":
        """The entries of all parts, one part after another."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def __add__(self, other: "SumsColumns") -> "SumsColumns":
        return SumsColumns(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def at(self, places: NDArray[np.intp]) -> "SumsColumns":
        """The entries at these places."""
        return SumsColumns(*(getattr(self, f.name)[places] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Estimates:
    """One arm's estimate of many metrics.

    `value` is in the metric's unit; `variance` is that of one unit, so that the estimate's own is variance / units;
    `degrees` are the degrees of freedom of the variance, infinite where it follows from the value.
    """

    units: Floats
    value: Floats
    variance: Floats
    degrees: Floats

    def at(self, places: NDArray[np.intp]) -> "Estimates":
        """The entries at these places."""
        return Estimates(self.units[places], self.value[places], self.variance[places], self.degrees[places])


def rows_of(kind: type[Row], columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Rows of a frozen dataclass with slots, from one column of equal length for each of its fields.

    Slots are filled column by column, as the constructor of a frozen row takes more than twice as long, and a judge's
    answer is made of little else. Nothing is checked, and no field has its default.

    >>> rows_of(UnitSums, dict.fromkeys(("units", "sum_y", "sum_d", "sum_yy", "sum_dd", "sum_yd"), [3]))
    [UnitSums(units=3, sum_y=3, sum_d=3, sum_yy=3, sum_dd=3, sum_yd=3)]
    """
    rows = [object.__new__(kind) for _ in next(iter(columns.values()))]
    for field in fields(kind):  # type: ignore[arg-type]
        deque(map(getattr(kind, field.name).__set__, rows, columns[field.name]), maxlen=0)
    return rows
