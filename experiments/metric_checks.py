"""What makes a metric usable."""

import re
from typing import Any

from django.forms.models import model_to_dict

from controlplane.errors import FieldProblem, InvalidInput
from experiments.evidence.measures import parse
from experiments.evidence.metrics import outcome_names
from experiments.evidence.special import check_special
from experiments.models import Metric
from experiments.plans import metric_definition
from experiments.stats.classification import MEASURES
from experiments.stats.types import MetricType
from routing.events.outcomes import OUTCOME_NAME


def check_metric(metric: Metric) -> None:
    """Raise `InvalidInput` unless its measures can be read and it has just what its type asks for."""
    if metric.type in MEASURES:
        _check_classifier(metric)
    else:
        parse(metric.numerator)
        _check_denominator(metric)
    _check_extras(metric)
    if metric.type in (MetricType.QUANTILE, MetricType.PROPORTION, MetricType.MEAN):
        check_special(metric_definition(metric))
    if metric.settling_seconds is not None and not outcome_names(metric_definition(metric)):
        raise _invalid("settling_seconds", "Only a metric of outcomes has a settling time.")


def _check_denominator(metric: Metric) -> None:
    if metric.type == MetricType.RATIO.value:
        if not metric.denominator:
            raise _invalid("denominator", "A ratio needs a denominator, like `requests`.")
        parse(metric.denominator)
    elif metric.denominator:
        raise _invalid("denominator", f"Only a ratio has a denominator; this is a {metric.type}.")


def _check_classifier(metric: Metric) -> None:
    for field in ("numerator", "denominator"):
        if not re.fullmatch(OUTCOME_NAME, getattr(metric, field)):
            what = "the prediction" if field == "numerator" else "the label"
            raise _invalid(field, f"A classifier needs the name of the outcome that is {what}, 1 or 0 for a request.")


def _check_extras(metric: Metric) -> None:
    starts, ends = metric.window_from_hours, metric.window_to_hours
    of_units = metric.type in (MetricType.PROPORTION, MetricType.MEAN)
    for field, wrong, message in (
        ("level", metric.type == MetricType.QUANTILE and not 0 < (metric.level or 0) < 1, "Give a level like 0.9."),
        ("level", metric.type != MetricType.QUANTILE and metric.level is not None, "Only a quantile has a level."),
        ("cap", metric.cap is not None and metric.type != MetricType.MEAN, "Only a mean has a cap."),
        ("cap", metric.cap is not None and metric.cap <= 0, "A cap is above 0."),
        ("window_to_hours", ends is not None and not of_units, "Only a proportion or a mean has a window."),
        ("window_to_hours", ends is not None and not 0 <= starts < ends, "The window must end after it starts."),
    ):
        if wrong:
            raise _invalid(field, message)


def metric_snapshot(metric: Metric) -> dict[str, Any]:
    """All fields of a metric, for the audit trail."""
    return model_to_dict(metric)


def _invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput(
        "invalid-metric", message, next_step=f"Correct `{field}`.", problems=(FieldProblem(field, message),)
    )
