"""What makes a metric usable."""

import re
from dataclasses import fields

from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput
from experiments.evidence.measures import ALWAYS_KNOWN, Measure, parse
from experiments.evidence.metric_sums import outcome_names
from experiments.evidence.special import check_conditions, check_special
from experiments.models import Metric, PlanMetric
from experiments.models.default_guardrails import Meaning
from experiments.plan.as_judged import metric_definition
from experiments.stats.metrics import kind_of
from experiments.stats.metrics.kind import MetricKind
from routing.intake.outcomes import OUTCOME_NAME

DEFAULT_GUARDRAIL = "default-guardrail"


def check_meaning(metric: Metric) -> None:
    """Raise `InvalidInput` unless its measures can be read and it has just what its type asks for, and `Conflict`
    when a guardrail of every plan would come to measure something else.
    """
    _refuse_redefinition(metric)
    kind = kind_of(metric.type)
    if kind.is_of_labels:
        _check_classifier(metric)
    else:
        _parsed(metric, "numerator")
        _check_denominator(metric, kind)
    _check_extras(metric, kind)
    if not kind.has_denominator:
        check_special(metric_definition(metric))
    check_conditions(metric_definition(metric))
    if metric.settling_seconds is not None and not outcome_names(metric_definition(metric)):
        raise _invalid("settling_seconds", "Only a metric of outcomes has a settling time.")


def _check_denominator(metric: Metric, kind: MetricKind) -> None:
    if kind.is_ratio:
        if not metric.denominator:
            raise _invalid("denominator", "A ratio needs a denominator, like `requests`.")
        if _always(_parsed(metric, "denominator")) == _always(parse(metric.numerator)):
            raise _invalid("denominator", "A ratio of something to itself is always 1, and tells nothing.")
    elif metric.denominator:
        raise _invalid("denominator", f"Only a ratio has a denominator; this is a {metric.type}.")


def _parsed(metric: Metric, field: str) -> Measure:
    """The measure of a field. Raises `InvalidInput`, which names the field."""
    try:
        return parse(getattr(metric, field))
    except InvalidInput as error:
        problems = (FieldProblem(field, f"{error.detail} {error.next_step}"),)
        raise InvalidInput(error.code, error.detail, next_step=error.next_step, problems=problems) from error


def _always(measure: Measure) -> Measure:
    """What is known of each request is counted for each request."""
    return parse("requests") if measure.function == "count" and measure.argument in ALWAYS_KNOWN else measure


def _check_classifier(metric: Metric) -> None:
    for field in ("numerator", "denominator"):
        if not re.fullmatch(OUTCOME_NAME, getattr(metric, field)):
            what = "the prediction" if field == "numerator" else "the label"
            raise _invalid(field, f"A classifier needs the name of the outcome that is {what}, 1 or 0 for a request.")


def _check_extras(metric: Metric, kind: MetricKind) -> None:
    starts, ends = metric.window_from_hours, metric.window_to_hours
    for field, wrong, message in (
        ("level", kind.has_level and not 0 < (metric.level or 0) < 1, "Give a level like 0.9."),
        ("level", not kind.has_level and metric.level is not None, "Only a quantile has a level."),
        ("cap", metric.cap is not None and not kind.has_cap, "Only a mean has a cap."),
        ("cap", metric.cap is not None and metric.cap <= 0, "A cap is above 0."),
        ("window_to_hours", ends is not None and not kind.has_window, "Only a proportion or a mean has a window."),
        ("window_to_hours", ends is not None and not 0 <= starts < ends, "The window must end after it starts."),
    ):
        if wrong:
            raise _invalid(field, message)


def is_share(metric: Metric | PlanMetric) -> bool:
    """Whether its value lies between 0 and 1, whatever happens: a share of users, of requests, or of labels."""
    meaning = metric.meaning
    kind = kind_of(meaning.type)
    if not kind.is_ratio:
        return kind.is_share or kind.is_of_labels
    part, whole = parse(meaning.numerator), parse(meaning.denominator)
    return part.is_indicator and whole.function in ("requests", "count")


def ceiling(metric: Metric | PlanMetric) -> float | None:
    """The largest value that it can have, 0 being the smallest; None where nobody knows one."""
    if is_share(metric):
        return 1.0
    capped = kind_of(metric.meaning.type).has_cap and not parse(metric.meaning.numerator).from_outcomes
    return metric.meaning.cap if capped else None


def floor(metric: Metric | PlanMetric) -> float | None:
    """The smallest value that it can have: 0, but for what outcomes say."""
    meaning = metric.meaning
    if is_share(metric) or kind_of(meaning.type).is_of_labels:
        return 0.0
    measures = [parse(text) for text in (meaning.numerator, meaning.denominator) if text]
    return None if any(measure.from_outcomes for measure in measures) else 0.0


def _refuse_redefinition(metric: Metric) -> None:
    if not metric.default_guardrail:
        return
    changed = [field.name for field in fields(Meaning) if getattr(metric, field.name) != _meant(metric, field.name)]
    if changed:
        raise Conflict(
            DEFAULT_GUARDRAIL,
            f"{metric.key} guards every plan that does not switch it off; changing {' and '.join(changed)} would "
            "change their plan.",
            next_step="Define a new metric; of this one only name and description can be changed.",
        )


def refuse_removal(metric: Metric) -> None:
    """Raise `Conflict` for a guardrail of every plan."""
    if metric.default_guardrail:
        raise Conflict(
            DEFAULT_GUARDRAIL,
            f"The metric {metric.key} is part of a plan by default: it guards every one that does not switch it off.",
            next_step="Name it in `switched_off` of the plan that shall do without it.",
        )


def _meant(metric: Metric, name: str) -> object:
    return getattr(metric.meaning, name)


def _invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput(
        "invalid-metric", message, next_step=f"Correct `{field}`.", problems=(FieldProblem(field, message),)
    )
