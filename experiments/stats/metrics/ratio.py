"""Ratio of totals ΣY / ΣD, as errors per request or cost per call, clustered by unit."""

import numpy as np

from experiments.stats.core.arrays import Floats, beyond_rounding
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.types import MetricType
from experiments.stats.metrics.kind import Estimator, MetricKind, Source


def estimate(sums: SumsColumns) -> Estimates:
    """Estimate R = ΣY / ΣD with unit variance (v_Y - 2 R c_YD + R² v_D) / mean(D)², by the delta method.

    v and c are sample variances and covariance over units (n - 1). What rounding may have left where the ratio is the
    same in each unit is no variance. Assumes independent units, so that many requests
    of one user count as one cluster, and a mean of D well away from zero.
    Reference: Deng, Knoblich and Lu, Applying the delta method in metric analytics (KDD 2018).

    >>> from experiments.stats.core.types import UnitSums
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
    """Count units that hold the total, where one with much of it leaves little to the others: (ΣY)² / ΣY².

    It does not depend on Y's unit. Of amounts that are rarely above zero, like purchases, it counts the purchases.
    Reference: Kish, Survey Sampling (1965).

    >>> from experiments.stats.core.types import UnitSums
    >>> rare_events(SumsColumns.of([UnitSums(50, 20.0, 200.0, 40.0, 900.0, 85.0)])).tolist()
    [10.0]
    """
    return effective_count(sums.sum_y, sums.sum_yy)


def design_effect(sums: SumsColumns) -> Floats:
    """NaN: an amount has no trials."""
    return np.full_like(sums.sum_y, np.nan)


def effective_count(total: Floats, squares: Floats) -> Floats:
    """Kish's effective count (Σx)² / Σx², zero where all are zero."""
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0.0)


ESTIMATOR = Estimator(estimate, rare_events, design_effect)
KIND = MetricKind(MetricType.RATIO, "Ratio: total over total", ESTIMATOR, Source.TOTALS, is_ratio=True)
