"""Whether the guardrails of an experiment can fire, as its control stands."""

import math
from collections.abc import Iterator
from functools import partial

from experiments.metrics.checks import ceiling, floor, is_share
from experiments.models import Experiment
from experiments.stats.core.types import Evidence, Finding, JudgePlan, MetricPlan, Results, Role
from experiments.stats.health import Guarded, Range, cannot_fire_findings, checked
from experiments.stats.metrics import kind_of


def guard_findings(experiment: Experiment, plan: JudgePlan, evidence: Evidence, judged: Results) -> Iterator[Finding]:
    """Those that cannot; where that cannot be told of one, a finding that says so."""
    results = {result.metric: result for result in judged.metrics if result.control_units >= plan.minimum_units}
    for guardrail in plan.metrics:
        if guardrail.role is Role.GUARDRAIL and guardrail.key in results:
            check = partial(_findings, experiment, plan, evidence, guardrail, results[guardrail.key].control_value)
            yield from checked(f"Whether the guardrail on {guardrail.key} can fire", check)


def _findings(
    experiment: Experiment, plan: JudgePlan, evidence: Evidence, guardrail: MetricPlan, value: float | None
) -> Iterator[Finding]:
    plan_metric = experiment.plan.metrics.select_related("metric", "edition").get(metric__key=guardrail.key)
    low, high = floor(plan_metric), ceiling(plan_metric)
    limits = Range(-math.inf if low is None else low, math.inf if high is None else high)
    control = evidence.sums.get((guardrail.key, plan.control)) if kind_of(guardrail.type).adds_up else None
    yield from cannot_fire_findings(Guarded(guardrail, limits, is_share=is_share(plan_metric), control=control), value)
