"""What makes a metric usable."""

from typing import Any

from django.forms.models import model_to_dict

from controlplane.errors import FieldProblem, InvalidInput
from experiments.evidence.measures import parse
from experiments.models import Metric
from experiments.stats.types import MetricType


def check_metric(metric: Metric) -> None:
    """Raise `InvalidInput` unless both measures can be read and only a ratio has a denominator."""
    parse(metric.numerator)
    if metric.type == MetricType.RATIO.value:
        if not metric.denominator:
            raise _invalid("A ratio needs a denominator, like `requests`.")
        parse(metric.denominator)
    elif metric.denominator:
        raise _invalid(f"Only a ratio has a denominator; this is a {metric.type}.")


def metric_snapshot(metric: Metric) -> dict[str, Any]:
    """All fields of a metric, for the audit trail."""
    return model_to_dict(metric)


def _invalid(message: str) -> InvalidInput:
    problems = (FieldProblem("denominator", message),)
    return InvalidInput("invalid-metric", message, next_step="Correct `denominator`.", problems=problems)
