"""Metrics that are made and not asked for: what units are counted by, and how often what others need is known."""

from dataclasses import replace

from experiments.evidence.conditions import read_conditions
from experiments.evidence.measures import JUDGED, Measure
from experiments.evidence.metric_sums import MetricDefinition
from experiments.stats.core.types import MetricType

ANSWERED = Measure("answered")

REQUESTS = MetricDefinition("requests", MetricType.MEAN, "requests")
"""What units are counted by where no metric adds up."""

UNJUDGED = MetricDefinition("unjudged", MetricType.MEAN, "requests", measures=(Measure("unknown", JUDGED),))
"""Requests of which nobody knows whether they were answered."""


NOT_ANSWERED = MetricDefinition("not answered", MetricType.MEAN, "requests", measures=(Measure("not_answered"),))
"""Requests that ended without an answer, by their backend's doing."""


def above_eased(key: str, column: str, threshold: float, eased: tuple[str, float]) -> MetricDefinition:
    """A ratio: Y the requests with a column above a threshold, a variant's own where it is `eased`, D all."""
    above = Measure("above", column, threshold, eased=eased)
    text = f"above({column}, {threshold:.3f})"
    return MetricDefinition(key, MetricType.RATIO, text, "requests", measures=(above, Measure("requests")))


def answered_with(columns: tuple[str, ...], conditions: tuple[str, ...] = ()) -> MetricDefinition:
    """A ratio: Y the answered requests that tell all these columns, D all answered ones that meet the conditions.

    Only answered requests count: one that failed has told nothing, and is counted as a failure already.
    """
    answered = replace(ANSWERED, conditions=read_conditions(conditions))
    key = " ".join(("answered with", *columns, *(f"where {condition}" for condition in conditions)))
    return MetricDefinition(key, MetricType.RATIO, "", "", measures=(answered.where_known(columns), answered))
