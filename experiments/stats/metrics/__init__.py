"""Metric types: a file says all that there is to know of one, as a `MetricKind`, and has its place here.

What no module asks for is the type itself: it asks the kind for what it needs to know.
"""

from collections.abc import Mapping
from types import MappingProxyType

from experiments.stats.core.types import MetricPlan, MetricType
from experiments.stats.metrics import classification, mean, part, proportion, quantiles, ratio
from experiments.stats.metrics.kind import Estimator, MetricKind

_IN_ORDER = (proportion.KIND, mean.KIND, ratio.KIND, quantiles.KIND, *classification.KINDS)

KINDS: Mapping[MetricType, MetricKind] = MappingProxyType({kind.type: kind for kind in _IN_ORDER})
"""All kinds by their type, in the order in which a form offers them."""


def kind_of(metric_type: str) -> MetricKind:
    """All that there is to know of a type. Raises `ValueError` for one that is none."""
    return KINDS[MetricType(metric_type)]


def estimator_of(metric: MetricPlan, *, nothing: bool = False) -> Estimator:
    """How a metric is estimated: sums alone do not tell errors per request from dollars per request.

    Where `nothing` was counted in either arm, there was no event, whatever would have been counted.

    >>> from experiments.stats.core.types import Direction, Role
    >>> errors = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, counts_events=True)
    >>> estimator_of(errors) is part.ESTIMATOR
    True
    """
    kind = KINDS[metric.type]
    return part.ESTIMATOR if kind.is_ratio and (nothing or metric.counts_events) else kind.estimator
