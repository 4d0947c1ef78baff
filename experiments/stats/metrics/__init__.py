"""Metric types: each turns sums over units into a value, the variance of one unit, and a count of rare events.

Nothing after this step knows the type of a metric.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from experiments.stats.columns import Estimates, Floats, SumsColumns
from experiments.stats.metrics import mean, proportion, ratio
from experiments.stats.types import MetricType


@dataclass(frozen=True, slots=True)
class Estimator:
    """How one metric type is estimated.

    `rare_events` counts how many events of the rarer kind the sums hold, which is infinite where there are no events.
    `design_effect` is how many of the denominator's units make one independent trial, NaN where there are no trials.
    `variance_follows_value`: whether equal values imply equal variances, so that both arms may be pooled.
    """

    estimate: Callable[[SumsColumns], Estimates]
    rare_events: Callable[[SumsColumns], Floats]
    design_effect: Callable[[SumsColumns], Floats]
    variance_follows_value: bool


ESTIMATORS: Mapping[MetricType, Estimator] = {
    MetricType.PROPORTION: Estimator(
        proportion.estimate, proportion.rare_events, proportion.design_effect, variance_follows_value=True
    ),
    MetricType.MEAN: Estimator(mean.estimate, mean.rare_events, mean.design_effect, variance_follows_value=False),
    MetricType.RATIO: Estimator(ratio.estimate, ratio.rare_events, ratio.design_effect, variance_follows_value=False),
}
