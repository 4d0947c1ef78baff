"""Many metrics at once: numbers in columns, one entry a (metric, candidate)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from experiments.stats.core.arrays import Floats
from experiments.stats.core.types import UnitSums


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
        rows = [(s.units, s.sum_y, s.sum_d, s.sum_yy, s.sum_dd, s.sum_yd) for s in sums]
        return cls(*np.array(rows, dtype=np.float64).reshape(len(sums), 6).T)

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
