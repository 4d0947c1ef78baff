"""Users that each metric and the whole plan need, and what could be seen with those that come."""

import math

from experiments.forecast.attempt import attempt
from experiments.forecast.prospect import Prospect
from experiments.forecast.types import MetricNeeds, Obstacle, PlanNeeds, SmallestEffect
from experiments.stats.core.types import MarginKind, MetricPlan, Role
from experiments.stats.planning import Arrivals, Baseline, MetricUnits, PlannedUnits, planned_units, sensitivity
from experiments.stats.planning.whole_plan import metric_units, question_of

DAYS = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 28.0)


def plan_needs(prospect: Prospect) -> PlannedUnits | Obstacle:
    """What the plan needs, or why that is not known."""
    known = prospect.known
    missing = [known.obstacles[metric.key] for metric in prospect.plan.metrics if metric.key in known.obstacles]
    if missing:
        return missing[0]
    return attempt(lambda: planned_units(prospect.plan, known.baselines))


def plan_needs_fact(found: PlannedUnits | Obstacle) -> PlanNeeds:
    """The same as a part of the answer."""
    if isinstance(found, Obstacle):
        return PlanNeeds(units=None, binding_metric=None, binding_variant=None, obstacle=found)
    binding = found.binding
    return PlanNeeds(units=found.total, binding_metric=binding.metric, binding_variant=binding.variant, obstacle=None)


def metric_needs(prospect: Prospect) -> tuple[MetricNeeds, ...]:
    """What each goal and guardrail of each candidate needs."""
    candidates = [name for name in prospect.plan.shares if name != prospect.plan.control]
    return tuple(_needs(prospect, metric, name) for metric in prospect.plan.metrics for name in candidates)


def _needs(prospect: Prospect, metric: MetricPlan, variant: str) -> MetricNeeds:
    baseline = prospect.known.baselines.get(metric.key)
    units = _units(prospect, metric, variant)
    found = None if isinstance(units, Obstacle) else units
    return MetricNeeds(
        metric=metric.key,
        name=prospect.labels[metric.key].name,
        role=metric.role,
        variant=variant,
        baseline=baseline.value if baseline else None,
        source=prospect.known.sources.get(metric.key),
        units=found.units if found else None,
        control_units=found.control_units if found else None,
        heavy_requests=(found.heavy or None) if found else None,
        smallest_effects=_smallest_effects(prospect, metric, variant) if baseline else (),
        obstacle=units if isinstance(units, Obstacle) else None,
    )


def _units(prospect: Prospect, metric: MetricPlan, variant: str) -> MetricUnits | Obstacle:
    known = prospect.known
    if metric.key in known.obstacles:
        return known.obstacles[metric.key]
    return attempt(lambda: metric_units(prospect.plan, metric, known.baselines[metric.key], variant))


def _smallest_effects(prospect: Prospect, metric: MetricPlan, variant: str) -> tuple[SmallestEffect, ...]:
    """Relative to the control; none when arrivals are unknown or the control's value is zero."""
    baseline, arrivals = prospect.known.baselines[metric.key], prospect.known.arrivals
    if isinstance(arrivals, Obstacle) or not baseline.value:
        return ()
    curve = attempt(lambda: _curve(prospect, metric, variant, baseline, arrivals))
    if isinstance(curve, Obstacle):
        return ()
    is_relative = metric.role is Role.GUARDRAIL and metric.margin > 0 and metric.margin_kind is MarginKind.RELATIVE
    scale = 1.0 if is_relative else abs(baseline.value)
    effects = [effect / scale if math.isfinite(effect) else None for effect in curve]
    return tuple(SmallestEffect(days=day, effect=effect) for day, effect in zip(DAYS, effects, strict=True))


def _curve(prospect: Prospect, metric: MetricPlan, variant: str, baseline: Baseline, arrivals: Arrivals) -> list[float]:
    share = prospect.plan.shares[variant] * prospect.last_coverage
    question = question_of(prospect.plan, metric, variant)
    return [float(each) for each in sensitivity(baseline, arrivals, DAYS, share=share, question=question)]
