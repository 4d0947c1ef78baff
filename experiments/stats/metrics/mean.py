"""Mean over units of their totals."""

from experiments.stats.metrics.estimate import ArmEstimate, checked, contributors
from experiments.stats.types import UnitSums


def estimate_mean(sums: UnitSums) -> ArmEstimate | None:
    """Mean m = ΣY / n with unit variance (ΣY² - (ΣY)²/n) / (n - 1); None below two units.

    Assumes independent units. Raises `ImpossibleSums`.

    >>> estimate_mean(UnitSums(units=4, sum_y=10, sum_d=4, sum_yy=30, sum_dd=4, sum_yd=10)).value
    2.5
    """
    checked(sums)
    if sums.units < 2:
        return None
    variance = max(sums.sum_yy - sums.sum_y**2 / sums.units, 0.0) / (sums.units - 1)
    return ArmEstimate(sums.sum_y / sums.units, variance, sums.units, contributors(sums))
