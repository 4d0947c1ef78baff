"""How often what a metric needs is known: of a unit's answered requests, those that tell it."""

from collections.abc import Iterable, Mapping

from experiments.evidence.measures import JUDGED, OF_ANSWERS
from experiments.evidence.metric_sums import MetricDefinition, columns_of
from experiments.evidence.own_metrics import UNJUDGED, answered_with
from experiments.stats.core.types import UnitSums

ByMetric = Mapping[str, Mapping[str, UnitSums]]


def completeness_checks(metrics: Iterable[MetricDefinition]) -> tuple[MetricDefinition, ...]:
    """What has to be summed beside the metrics, to know how often what they need is known."""
    needed = [(columns, metric.conditions) for metric in metrics if (columns := columns_of(metric))]
    judged = [((JUDGED,), conditions) for conditions in ((), *(conditions for _, conditions in needed))]
    return (UNJUDGED, *(answered_with(*need) for need in dict.fromkeys((*needed, *judged)))) if needed else ()


def known_sums(metrics: Iterable[MetricDefinition], sums: Mapping[tuple[str, str], UnitSums]) -> ByMetric:
    """By metric and arm, for those that need a column that may be unknown: the sums of its check.

    Whether a request failed hardly ever is unknown.
    """
    needed = {metric: columns for metric in metrics if (columns := columns_of(metric))}
    unjudged = _any_unjudged(sums)
    return {
        metric.key: _by_arm(answered_with(columns, metric.conditions), sums)
        for metric, columns in needed.items()
        if unjudged or columns != (JUDGED,)
    }


def read_answers(metrics: Iterable[MetricDefinition], sums: Mapping[tuple[str, str], UnitSums]) -> ByMetric:
    """The same of the metrics that need what answers hold, where some answers could not be read at all."""
    if not _any_unjudged(sums):
        return {}
    of_answers = [metric for metric in metrics if not OF_ANSWERS.isdisjoint(columns_of(metric))]
    return {metric.key: _by_arm(answered_with((JUDGED,), metric.conditions), sums) for metric in of_answers}


def _any_unjudged(sums: Mapping[tuple[str, str], UnitSums]) -> bool:
    return any(found.sum_y > 0 for (key, _), found in sums.items() if key == UNJUDGED.key)


def _by_arm(check: MetricDefinition, sums: Mapping[tuple[str, str], UnitSums]) -> Mapping[str, UnitSums]:
    return {arm: found for (key, arm), found in sums.items() if key == check.key}
