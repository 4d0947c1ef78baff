"""Part of a whole: Y of each unit's D requests had an event, as errors per request; a ratio with independent trials."""

import numpy as np

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.metrics.kind import Estimator
from experiments.stats.metrics.ratio import effective_count, estimate

__all__ = ["design_effect", "estimate", "rare_events"]

FEWEST_EVENTS = 20.0
"""Rare events from which on their clustering can be estimated: of fewer, most are of light users (simulated)."""


def rare_events(sums: SumsColumns) -> Floats:
    """Count requests of the rarer outcome, where many by one unit count as about one: (ΣY)² / ΣY².

    The count is Kish's effective sample size (Survey Sampling, 1965), which is ΣY for Y of 0 and 1.

    >>> from experiments.stats.core.types import UnitSums
    >>> rare_events(SumsColumns.of([UnitSums(50, 20.0, 200.0, 40.0, 900.0, 85.0)])).tolist()
    [10.0]
    """
    events = effective_count(sums.sum_y, sums.sum_yy)
    rest = effective_count(sums.sum_d - sums.sum_y, sums.sum_dd - 2.0 * sums.sum_yd + sums.sum_yy)
    return np.minimum(events, rest)


def design_effect(sums: SumsColumns) -> Floats:
    """How many requests of clustered units say as much as one independent request.

    It is the unit variance over the binomial one, R (1 - R) / mean(D), and at least 1. With few events it cannot be
    estimated; then it is ΣD² / ΣD, which is its value when all requests of a unit fail together.
    Reference: Kish, Survey Sampling (1965).

    >>> from experiments.stats.core.types import UnitSums
    >>> round(float(design_effect(SumsColumns.of([UnitSums(800, 150.0, 2430.0, 190.0, 9150.0, 560.0)]))[0]), 6)
    1.107883
    """
    arm = estimate(sums)
    binomial = arm.value * (1.0 - arm.value) * sums.units / sums.sum_d
    together = sums.sum_dd / sums.sum_d
    estimated = np.divide(arm.variance, binomial, out=np.ones_like(binomial), where=binomial > 0.0)
    return np.where(rare_events(sums) < FEWEST_EVENTS, together, np.maximum(estimated, 1.0))


ESTIMATOR = Estimator(estimate, rare_events, design_effect)
