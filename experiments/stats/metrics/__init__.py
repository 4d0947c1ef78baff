"""Metric types: each turns sums over units into a value, the variance of one unit, and a count of rare events.

Nothing after this step knows the type of a metric. A new type is a module with these three functions and a line here.
"""

from collections.abc import Mapping
from typing import Protocol

from experiments.stats.arrays import Floats
from experiments.stats.columns import Estimates, SumsColumns
from experiments.stats.metrics import mean, proportion, ratio
from experiments.stats.types import MetricType


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
    # What a classifier gets right is a ratio of counts over units.
    MetricType.ACCURACY: ratio,
    MetricType.PRECISION: ratio,
    MetricType.RECALL: ratio,
    MetricType.F1: ratio,
}
