"""Ratio of totals ΣY / ΣD, as errors per request or cost per call, clustered by unit."""

import numpy as np

from experiments.stats.arrays import Flags, Floats, beyond_rounding
from experiments.stats.columns import Estimates, SumsColumns

FEWEST_EVENTS = 5.0
"""Rare events from which on their clustering can be estimated."""


def estimate(sums: SumsColumns) -> Estimates:
    """Estimate R = ΣY / ΣD with unit variance (v_Y - 2 R c_YD + R² v_D) / mean(D)², by the delta method.

    v and c are sample variances and covariance over units (n - 1). What rounding may have left where the ratio is the
    same in each unit is no variance. Assumes independent units, so that many requests
    of one user count as one cluster, and a mean of D well away from zero.
    Reference: Deng, Knoblich and Lu, Applying the delta method in metric analytics (KDD 2018).

    >>> from experiments.stats.types import UnitSums
    >>> arm = estimate(SumsColumns.of([UnitSums(80, 15.0, 243.0, 19.0, 915.0, 56.0)]))
    >>> round(float(arm.value[0]), 9), round(float(arm.variance[0]), 9)
    (0.061728395, 0.021365384)
    """
    value = sums.sum_y / sums.sum_d
    # The residuals Y - R D sum to zero, so their squares need no centring, which keeps digits.
    apart, together = sums.sum_yy + value**2 * sums.sum_dd, 2.0 * value * sums.sum_yd
    squares = beyond_rounding(apart - together, size=apart + np.abs(together), terms=sums.units)
    variance = squares / (sums.units - 1.0) / (sums.sum_d / sums.units) ** 2
    return Estimates(sums.units, value, variance, sums.units - 1.0)


def rare_events(sums: SumsColumns) -> Floats:
    """Count events of the rarer kind, where many by one unit count as about one: (ΣY)² / ΣY².

    For Y that is a part of D, as errors of requests, the other part D - Y is counted too, and the lower one returned.
    The count is Kish's effective sample size (Survey Sampling, 1965), which is ΣY for Y of 0 and 1.

    >>> from experiments.stats.types import UnitSums
    >>> rare_events(SumsColumns.of([UnitSums(50, 20.0, 200.0, 40.0, 900.0, 85.0)])).tolist()
    [10.0]
    """
    events = effective_count(sums.sum_y, sums.sum_yy)
    rest = effective_count(sums.sum_d - sums.sum_y, sums.sum_dd - 2.0 * sums.sum_yd + sums.sum_yy)
    return np.where(is_part_of_whole(sums), np.minimum(events, rest), events)


def design_effect(sums: SumsColumns) -> Floats:
    """How many requests of clustered units say as much as one independent request; NaN where Y is no part of D.

    It is the unit variance over the binomial one, R (1 - R) / mean(D), and at least 1. With few events it cannot be
    estimated; then it is ΣD² / ΣD, which is its value when all requests of a unit fail together.
    Reference: Kish, Survey Sampling (1965).

    >>> from experiments.stats.types import UnitSums
    >>> round(float(design_effect(SumsColumns.of([UnitSums(80, 15.0, 243.0, 19.0, 915.0, 56.0)]))[0]), 6)
    1.120504
    """
    arm = estimate(sums)
    binomial = arm.value * (1.0 - arm.value) * sums.units / sums.sum_d
    together = sums.sum_dd / sums.sum_d
    estimated = np.divide(arm.variance, binomial, out=np.ones_like(binomial), where=binomial > 0.0)
    effect = np.where(rare_events(sums) < FEWEST_EVENTS, together, np.maximum(estimated, 1.0))
    return np.where(is_part_of_whole(sums), effect, np.nan)


def is_part_of_whole(sums: SumsColumns) -> Flags:
    """Whether Y may be a part of D in each unit, as errors are of requests: ΣY² ≤ ΣYD ≤ ΣD² and 0 ≤ ΣY ≤ ΣD."""
    within = (sums.sum_yy <= sums.sum_yd) & (sums.sum_yd <= sums.sum_dd)
    return within & (sums.sum_y >= 0.0) & (sums.sum_y <= sums.sum_d)


def effective_count(total: Floats, squares: Floats) -> Floats:
    """Kish's effective count (Σx)² / Σx², zero where all are zero."""
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0.0)
