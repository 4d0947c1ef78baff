"""Metrics of a plan that shall be adjusted by what users did before, and cannot be."""

from collections.abc import Iterable

from controlplane.problems.errors import FieldProblem
from experiments.evidence import may_have_past
from experiments.models import PlanMetric
from experiments.plan.as_judged import definition_in_plan

NO_COVARIATE = "no-covariate"
NEXT_STEP = "Leave `covariate` away for it, or take a mean or a ratio of amounts of requests, like cost or duration."


def without_past(plan_metrics: Iterable[PlanMetric]) -> tuple[FieldProblem, ...]:
    """Each metric with a covariate that is none of amounts of requests."""
    asked = [(at, each) for at, each in enumerate(plan_metrics) if each.covariate]
    return tuple(_problem(at, each) for at, each in asked if not may_have_past(definition_in_plan(each)))


def _problem(at: int, plan_metric: PlanMetric) -> FieldProblem:
    return FieldProblem(
        f"plan.metrics.{at}.covariate",
        f"{plan_metric.metric.key} cannot be adjusted by what users did before: only means and ratios of amounts of "
        "requests can, without a window and without outcomes, and no share of users or requests.",
    )
