"""Mean over units of each unit's total Y."""

import numpy as np

from experiments.stats.core.arrays import Floats, beyond_rounding
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.types import MetricType
from experiments.stats.metrics.kind import Estimator, MetricKind, Source


def estimate(sums: SumsColumns) -> Estimates:
    """Estimate the mean m = ΣY / n with unit variance (ΣY² - (ΣY)² / n) / (n - 1).

    What rounding may have left of units that are all alike is no variance. Assumes independent units with finite
    variance. Reference: Student, The probable error of a mean (Biometrika 1908).

    >>> from experiments.stats.core.types import UnitSums
    >>> arm = estimate(SumsColumns.of([UnitSums(4, 10.0, 4, 30.0, 4, 10.0)]))
    >>> float(arm.value[0]), round(float(arm.variance[0]), 6)
    (2.5, 1.666667)
    """
    value = sums.sum_y / sums.units
    squares = beyond_rounding(sums.sum_yy - sums.sum_y * value, size=sums.sum_yy, terms=sums.units)
    return Estimates(sums.units, value, squares / (sums.units - 1.0), sums.units - 1.0)


def rare_events(sums: SumsColumns) -> Floats:
    """Infinite: a mean has no events to count."""
    return np.full_like(sums.sum_y, np.inf)


def design_effect(sums: SumsColumns) -> Floats:
    """NaN: a mean has no trials."""
    return np.full_like(sums.sum_y, np.nan)


ESTIMATOR = Estimator(estimate, rare_events, design_effect)
KIND = MetricKind(
    MetricType.MEAN, "Mean: total a user", ESTIMATOR, Source.TOTALS, has_cap=True, has_window=True, is_scaled=True
)
