"""Share of units with an event."""

from experiments.stats.metrics.estimate import ArmEstimate, checked, contributors
from experiments.stats.types import UnitSums


def estimate_proportion(sums: UnitSums) -> ArmEstimate | None:
    """Share p = ΣY / n of units whose Y is 1 rather than 0, with unit variance p(1 - p)·n/(n - 1).

    None below two units. Assumes independent units. Raises `ImpossibleSums`.

    >>> estimate_proportion(UnitSums(units=10, sum_y=3, sum_d=10, sum_yy=3, sum_dd=10, sum_yd=3)).value
    0.3
    """
    checked(sums)
    if sums.units < 2:
        return None
    share = sums.sum_y / sums.units
    variance = max(share * (1 - share), 0.0) * sums.units / (sums.units - 1)
    return ArmEstimate(share, variance, sums.units, contributors(sums))
