"""What is tried out: a rollout as planned, and what might be true of the candidates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from experiments.stats.core.errors import InvalidArgument, require
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, Role
from experiments.stats.judging.judgeable import check_plan
from experiments.stats.planning import Arrivals, Baseline, StageTarget

HARMS = (0.25, 0.5, 1.0, 4.0)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A plan with what is known of its metrics, its stages, and the units that arrive.

    `ticks` is how many times the evidence is looked at for harm, spread over all stages; more of them halt a little
    sooner and take longer to simulate.
    """

    plan: JudgePlan
    baselines: Mapping[str, Baseline]
    stages: Sequence[StageTarget]
    arrivals: Arrivals
    maximum_hours: float
    ticks: int = 80

    def check(self) -> None:
        """Refuse what cannot be simulated.

        Raises:
            InvalidPlan: as `judge`.
            InvalidArgument: `baseline-missing`, `ticks-range`, `hours-range`.

        """
        check_plan(self.plan)
        missing = sorted(metric.key for metric in self.plan.metrics if metric.key not in self.baselines)
        require(not missing, lambda: _error("baseline-missing", f"No baseline is known for {', '.join(missing)}."))
        require(self.ticks >= len(self.stages), lambda: _error("ticks-range", f"{self.ticks} ticks are too few."))
        soaks = sum(stage.soak_hours for stage in self.stages)
        require(0.0 < self.maximum_hours >= soaks, lambda: _error("hours-range", "The stages outlast the maximum."))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is true of the candidates: by which share each metric differs from the control's; 0 where not named."""

    name: str
    effects: Mapping[str, float] = field(default_factory=dict)


def usual_scenarios(plan: JudgePlan, *, harms: Sequence[float] = HARMS) -> tuple[Scenario, ...]:
    """No effect, the smallest effect that matters on every goal, and harms of several sizes on each guardrail.

    A harm of 1 doubles what is better low, and takes half of what is better high.

    >>> from experiments.stats.core.types import MetricType
    >>> errors = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
    >>> [each.name for each in usual_scenarios(JudgePlan((errors,), "control", {"control": 0.5, "new": 0.5}))]
    ['no effect', 'errors +25 %', 'errors +50 %', 'errors +100 %', 'errors +400 %']
    """
    goals = {metric.key: _gain(metric) for metric in plan.metrics if metric.role is Role.GOAL}
    hoped = (Scenario("smallest effect that matters", goals),) if goals else ()
    guardrails = [metric for metric in plan.metrics if metric.role is Role.GUARDRAIL]
    return (
        Scenario("no effect"),
        *hoped,
        *(_harm(metric, size) for metric in guardrails for size in harms),
    )


def twice_the_margin(plan: JudgePlan, baselines: Mapping[str, Baseline]) -> tuple[Scenario, ...]:
    """A harm of two margins on each guardrail that accepts some, where the metric has a value to be harmed.

    >>> from experiments.stats.planning.baseline import share
    >>> from experiments.stats.core.types import MetricType
    >>> failed = MetricPlan("failed", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.3)
    >>> plan = JudgePlan((failed,), "control", {"control": 0.5, "new": 0.5})
    >>> twice_the_margin(plan, {"failed": share(0.05)})
    (Scenario(name='failed, twice the margin', effects={'failed': 0.6}),)
    """
    guardrails = [metric for metric in plan.metrics if metric.role is Role.GUARDRAIL and metric.margin > 0.0]
    harmed = [(metric, _of_margin(metric, baselines[metric.key])) for metric in guardrails]
    return tuple(
        Scenario(f"{metric.key}, twice the margin", {metric.key: effect}) for metric, effect in harmed if effect
    )


def _of_margin(metric: MetricPlan, baseline: Baseline) -> float:
    """Two margins as a share of the control; 0 where no value could be so."""
    if not baseline.value:
        return 0.0
    size = metric.margin if metric.margin_kind is MarginKind.RELATIVE else metric.margin / abs(baseline.value)
    effect = 2.0 * size * (1.0 if metric.direction is Direction.DECREASE else -1.0)
    is_possible = not baseline.is_share or 0.0 <= baseline.value * (1.0 + effect) <= 1.0
    return effect * math.copysign(1.0, baseline.value) if is_possible else 0.0


def _gain(metric: MetricPlan) -> float:
    return metric.minimum_effect if metric.direction is Direction.INCREASE else -metric.minimum_effect


def _harm(metric: MetricPlan, size: float) -> Scenario:
    effect = size if metric.direction is Direction.DECREASE else 1.0 / (1.0 + size) - 1.0
    return Scenario(f"{metric.key} {effect * 100.0:+.0f} %", {metric.key: effect})


def _error(code: str, detail: str) -> InvalidArgument:
    return InvalidArgument(
        code, detail, next_step="Give each metric a baseline, at least a tick a stage, and time for all stages."
    )
