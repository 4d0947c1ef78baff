"""Margins that nothing can exceed: a guardrail with one of them guards nothing."""

from controlplane.problems.errors import FieldProblem
from experiments.metrics.checks import ceiling
from experiments.models import PlanMetric
from experiments.stats.core.types import Direction, MarginKind, Role

MARGIN_OF_ALL = "margin-of-all"
NEXT_STEP = "Give each such guardrail a margin that harm can exceed, like 0.01 for one percentage point of a share."


def margins_of_all(plan_metrics: list[PlanMetric]) -> tuple[FieldProblem, ...]:
    """Each guardrail of a plan, in its order, that could never fail, and why."""
    problems = ((number, _problem(plan_metric)) for number, plan_metric in enumerate(plan_metrics))
    return tuple(FieldProblem(f"plan.metrics.{number}.margin", problem) for number, problem in problems if problem)


def _problem(plan_metric: PlanMetric) -> str:
    """Why nothing can exceed the margin; empty where something can, or where nobody knows ahead."""
    metric, margin = plan_metric.metric, plan_metric.margin
    most = ceiling(metric)
    if plan_metric.role != Role.GUARDRAIL or most is None:
        return ""
    if plan_metric.margin_kind == MarginKind.ABSOLUTE and margin >= most:
        all_of_it = "100 percentage points" if most == 1 else f"{most:g}"
        return f"{metric.key} cannot get worse by more than {all_of_it}, so that this guardrail could never fail."
    falls = metric.meaning.direction == Direction.INCREASE
    if plan_metric.margin_kind == MarginKind.RELATIVE and falls and margin >= 1:
        return f"{metric.key} cannot fall by more than all of what the control has: this guardrail could never fail."
    return ""
