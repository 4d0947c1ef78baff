"""Metric types: each turns sums over units into a value, the variance of one unit, and a count of rare events.

The judge asks for no type after `cells.py`, which has put these in columns and marked shares of units. A new type is a
module with these three functions and a line here, and has to be drawn by `simulation/` to be in forecasts.
"""

from collections.abc import Mapping
from typing import Protocol

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.types import MetricPlan, MetricType
from experiments.stats.metrics import mean, part, proportion, ratio


class Estimator(Protocol):
    """A module that knows one metric type."""

    def estimate(self, sums: SumsColumns) -> Estimates:
        """Value and unit variance of each cell."""

    def rare_events(self, sums: SumsColumns) -> Floats:
        """How many events of the rarer kind the sums hold; infinite where there are no events."""

    def design_effect(self, sums: SumsColumns) -> Floats:
        """How many of the denominator's units make one independent trial; NaN where there are no trials."""


ESTIMATORS: Mapping[MetricType, Estimator] = {
    MetricType.PROPORTION: proportion,
    MetricType.MEAN: mean,
    MetricType.RATIO: ratio,
    # Evidence of a quantile comes as the sums of a mean with the same value and standard error.
    MetricType.QUANTILE: mean,
    # What a classifier gets right is a part of what it was asked.
    MetricType.ACCURACY: part,
    MetricType.PRECISION: part,
    MetricType.RECALL: part,
    MetricType.F1: part,
}


def estimator_of(metric: MetricPlan) -> Estimator:
    """The module that knows a metric: sums alone do not tell errors per request from dollars per request.

    >>> from experiments.stats.core.types import Direction, Role
    >>> errors = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, counts_events=True)
    >>> estimator_of(errors) is part
    True
    """
    return part if metric.type is MetricType.RATIO and metric.counts_events else ESTIMATORS[metric.type]
