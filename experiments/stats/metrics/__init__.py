"""Types of metrics: each turns one arm's sums into a value with the variance of one unit."""

from collections.abc import Callable

from experiments.stats.metrics.estimate import ArmEstimate
from experiments.stats.metrics.mean import estimate_mean
from experiments.stats.metrics.proportion import estimate_proportion
from experiments.stats.metrics.ratio import estimate_ratio
from experiments.stats.types import MetricType, UnitSums

ESTIMATORS: dict[MetricType, Callable[[UnitSums], ArmEstimate | None]] = {
    MetricType.PROPORTION: estimate_proportion,
    MetricType.MEAN: estimate_mean,
    MetricType.RATIO: estimate_ratio,
}

__all__ = ["ESTIMATORS", "ArmEstimate", "estimate_mean", "estimate_proportion", "estimate_ratio"]
