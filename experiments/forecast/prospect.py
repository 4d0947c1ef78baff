"""All that a forecast is computed from: the plan as the statistics take it, its stages, and what is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from experiments.decide.types import Label, Plan
from experiments.forecast.known import Known
from experiments.stats.core.types import JudgePlan, Role
from experiments.stats.planning import StageTarget
from routing.table import BasisPoints

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Prospect:
    """`plan` has goals and guardrails alone, as nothing else decides. Coverage is 0 to 1."""

    plan: JudgePlan
    labels: Mapping[str, Label]
    stages: tuple[StageTarget, ...]
    maximum_hours: float
    known: Known

    @property
    def smallest_share(self) -> float:
        """Of the variants' shares of users."""
        return min(self.plan.shares.values())

    @property
    def last_coverage(self) -> float:
        """Coverage of the last stage."""
        return self.stages[-1].coverage


def prospect_of(plan: Plan, judged: JudgePlan, known: Known) -> Prospect:
    """Put the parts together."""
    decisive = tuple(metric for metric in judged.metrics if metric.role is not Role.OBSERVED)
    stages = tuple(StageTarget(BasisPoints(stage.coverage).share, stage.soak / HOUR) for stage in plan.stages)
    return Prospect(replace(judged, metrics=decisive), plan.labels, stages, plan.maximum / HOUR, known)
