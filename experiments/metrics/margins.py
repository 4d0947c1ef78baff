"""Guardrails that guard nothing: their margin accepts all harm, or what they count comes after the plan's end."""

from collections.abc import Callable

from controlplane.problems.errors import FieldProblem
from experiments.evidence.measures import parse
from experiments.metrics.checks import ceiling, is_share
from experiments.models import Metric, PlanMetric
from experiments.stats.core.types import Direction, MarginKind, Role
from experiments.stats.metrics import kind_of

MARGIN_OF_ALL = "margin-of-all"
NEVER_COUNTS = "never-counts"
NEXT_STEP = (
    "Give each such guardrail a margin that harm exceeds, like 0.01 for one percentage point of a share; what may get "
    "worse by any amount is observed, and a guardrail of every plan is named in `switched_off`."
)
COUNT_SOONER = "Let the plan last longer, or use a metric that counts sooner."

MOST_OF_ALL = 0.5
MOST_OF_ALL_BY_DEFAULT = 0.2
"""The widest margin in a metric's own unit, as a part of the largest value that it can have."""

MOST_FALL = 0.5
MOST_GROWTH = 5.0
MOST_GROWTH_OF_A_SHARE = 1.0
"""The widest margin relative to the control."""

MOST_MILLISECONDS = 10_000.0
"""The widest margin of durations, in their own unit."""

PERCENT = 100
HOUR = 3600.0
TIMES = ("duration_ms", "ttft_ms", "inter_token_ms", "queue_ms")


def margins_of_all(plan_metrics: list[PlanMetric]) -> tuple[FieldProblem, ...]:
    """Each guardrail of a plan, in its order, whose margin accepts all harm, and the widest that guards."""
    return _problems(plan_metrics, "margin", _margin_problem)


def never_counting(plan_metrics: list[PlanMetric]) -> tuple[FieldProblem, ...]:
    """Each guardrail of a plan, in its order, that counts nobody before its end, or nothing at all."""
    return _problems(plan_metrics, "metric", _counting_problem)


def widest_margin(metric: Metric, margin_kind: str) -> float | None:
    """The widest margin with which a guardrail on the metric guards; None where nobody knows ahead."""
    if margin_kind == MarginKind.RELATIVE:
        return _widest_relative(metric)
    most = ceiling(metric)
    if most is not None:
        return most * (MOST_OF_ALL_BY_DEFAULT if metric.default_guardrail else MOST_OF_ALL)
    return MOST_MILLISECONDS if _is_time(metric) else None


def _widest_relative(metric: Metric) -> float:
    if metric.meaning.direction == Direction.INCREASE:
        return MOST_FALL
    return MOST_GROWTH_OF_A_SHARE if is_share(metric) else MOST_GROWTH


def _is_time(metric: Metric) -> bool:
    """Whether its value is how long one request takes, or a part of it."""
    kind = kind_of(metric.meaning.type)
    if kind.is_of_labels or kind.has_cap:
        return False
    measure = parse(metric.meaning.numerator)
    return measure.function == "sum" and measure.argument in TIMES


def _problems(
    plan_metrics: list[PlanMetric], field: str, problem_of: Callable[[PlanMetric], str]
) -> tuple[FieldProblem, ...]:
    guardrails = [(at, each) for at, each in enumerate(plan_metrics) if each.role == Role.GUARDRAIL]
    problems = ((at, problem_of(guardrail)) for at, guardrail in guardrails)
    return tuple(FieldProblem(f"plan.metrics.{at}.{field}", problem) for at, problem in problems if problem)


def _margin_problem(plan_metric: PlanMetric) -> str:
    metric = plan_metric.metric
    widest = widest_margin(metric, plan_metric.margin_kind)
    if widest is None or plan_metric.margin <= widest:
        return ""
    return f"A guardrail on {metric.key} accepts {_in_words(widest, plan_metric)} at most; with more it guards nothing."


def _in_words(margin: float, plan_metric: PlanMetric) -> str:
    meaning = plan_metric.metric.meaning
    if plan_metric.margin_kind == MarginKind.RELATIVE:
        return f"{margin * PERCENT:g} % of the control's value"
    if is_share(plan_metric.metric):
        return f"{margin * PERCENT:g} percentage points"
    return f"{margin:g} {meaning.display_unit}".strip()


def _counting_problem(plan_metric: PlanMetric) -> str:
    """Why it counts nobody; empty where it does."""
    plan, metric = plan_metric.plan, plan_metric.metric
    first = max((metric.meaning.window_to_hours or 0.0) * HOUR, metric.meaning.settling_seconds or 0.0)
    if first >= plan.maximum_seconds:
        return (
            f"{metric.key} counts a user {first:g} seconds after the first request, and the plan is over after "
            f"{plan.maximum_seconds}: this guardrail could never fail."
        )
    return _threshold_problem(metric, plan.experiment.endpoint.timeout_seconds)


def _threshold_problem(metric: Metric, timeout_seconds: int) -> str:
    if kind_of(metric.meaning.type).is_of_labels:
        return ""
    measure = parse(metric.meaning.numerator)
    most = timeout_seconds * 1000.0
    if measure.function != "above" or measure.argument not in TIMES or not 0 < most <= measure.threshold:
        return ""
    return (
        f"{metric.key} counts what takes longer than {measure.threshold:g} ms, and no answer of the endpoint takes "
        f"longer than {most:g}: this guardrail could never fail."
    )
