"""What every type of metric gives: nothing downstream knows the type."""

import math
from dataclasses import dataclass

from experiments.stats.errors import ImpossibleSums
from experiments.stats.types import UnitSums

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ArmEstimate:
    """One arm: value (metric's unit), variance of one unit's share in it (unit squared), number of units.

    The standard error of the value is sqrt(variance / units). `contributors` is Kish's effective number of units behind
    the numerator, (ΣY)² / ΣY²: for events it counts the units that have one, for heavy tails it is small.
    """

    value: float
    variance: float
    units: int
    contributors: float


def checked(sums: UnitSums) -> UnitSums:
    """The same sums. Raises `ImpossibleSums` when no data can have them."""
    numbers = (sums.sum_y, sums.sum_d, sums.sum_yy, sums.sum_dd, sums.sum_yd)
    if sums.units < 0 or not all(math.isfinite(number) for number in numbers):
        raise ImpossibleSums(f"Counts must not be negative and sums must be finite: {sums}.")
    for total, squares in ((sums.sum_y, sums.sum_yy), (sums.sum_d, sums.sum_dd)):
        if squares < 0 or total * total > sums.units * squares * (1 + ROUNDING) + ROUNDING:
            raise ImpossibleSums(f"A sum of squares is too small for its sum: {sums}.")
    return sums


def contributors(sums: UnitSums) -> float:
    """Kish's effective sample size (ΣY)² / ΣY² (Kish, Survey Sampling, 1965); 0 when all Y are 0."""
    return sums.sum_y**2 / sums.sum_yy if sums.sum_yy > 0 else 0.0
