"""Ratio of totals, with the unit as the cluster."""

from experiments.stats.metrics.estimate import ArmEstimate, checked, contributors
from experiments.stats.types import UnitSums


def estimate_ratio(sums: UnitSums) -> ArmEstimate | None:
    """Ratio R = ΣY / ΣD with the delta method's unit variance (var Y - 2R cov(Y, D) + R² var D) / mean(D)².

    None below two units or without a denominator. Assumes independent units, however their own requests depend on each
    other, and a mean of D that is far from zero (Deng, Knoblich & Lu, Applying the delta method, KDD 2018). Raises
    `ImpossibleSums`.

    >>> estimate_ratio(UnitSums(units=2, sum_y=3, sum_d=6, sum_yy=5, sum_dd=20, sum_yd=10)).value
    0.5
    """
    checked(sums)
    if sums.units < 2 or sums.sum_d <= 0:
        return None
    ratio = sums.sum_y / sums.sum_d
    residuals = sums.sum_yy - 2 * ratio * sums.sum_yd + ratio**2 * sums.sum_dd
    mean_denominator = sums.sum_d / sums.units
    variance = max(residuals, 0.0) / (sums.units - 1) / mean_denominator**2
    return ArmEstimate(ratio, variance, sums.units, contributors(sums))
