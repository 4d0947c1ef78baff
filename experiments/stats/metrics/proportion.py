"""Share of units with an event: Y is 1 or 0 for each unit."""

import numpy as np

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.types import MetricType
from experiments.stats.metrics.kind import Estimator, MetricKind, Source


def estimate(sums: SumsColumns) -> Estimates:
    """Estimate p = ΣY / n with unit variance p (1 - p), the maximum-likelihood one of a Bernoulli variable.

    Assumes independent units. The degrees of freedom are those of a mean, which is the safe side for few units.
    Reference: Casella and Berger, Statistical Inference (2002), example 7.2.7.

    >>> from experiments.stats.core.types import UnitSums
    >>> arm = estimate(SumsColumns.of([UnitSums(5000, 500, 5000, 500, 5000, 500)]))
    >>> float(arm.value[0]), round(float(arm.variance[0]), 9)
    (0.1, 0.09)
    """
    share = sums.sum_y / sums.units
    return Estimates(sums.units, share, share * (1.0 - share), sums.units - 1.0)


def design_effect(sums: SumsColumns) -> Floats:
    """One: each unit is one trial."""
    return np.ones_like(sums.sum_y)


def rare_events(sums: SumsColumns) -> Floats:
    """Count the units of the rarer outcome.

    >>> from experiments.stats.core.types import UnitSums
    >>> rare_events(SumsColumns.of([UnitSums(100, 97, 100, 97, 100, 97)])).tolist()
    [3.0]
    """
    return np.minimum(sums.sum_y, sums.units - sums.sum_y)


ESTIMATOR = Estimator(estimate, rare_events, design_effect)
KIND = MetricKind(
    MetricType.PROPORTION,
    "Proportion: share of users with any",
    ESTIMATOR,
    Source.TOTALS,
    is_share=True,
    has_window=True,
)
