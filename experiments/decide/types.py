"""What a decision is made from, and what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from controlplane.problems.problem import Problem
from experiments.stats.core.types import MetricPlan, MetricResult, PastLooks, Results, Role


class DecisionKind(StrEnum):
    """What can be decided."""

    ADVANCE = "advance"
    PROMOTE = "promote"
    HALT = "halt"
    HOLD = "hold"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One step of the ramp: coverage in 1/10 000 of each arm, and the shortest stay."""

    coverage: int
    soak: timedelta


@dataclass(frozen=True, slots=True)
class Label:
    """How people call a metric, and the unit behind its values."""

    name: str
    display_unit: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was registered before the start. `labels` by key of metric or tail; `looks` is the most of them.

    `longest_answer` is after how long the endpoint gives up on an answer: until then its request is not known.
    """

    stages: tuple[StagePlan, ...]
    metrics: tuple[MetricPlan, ...]
    labels: Mapping[str, Label]
    control: str
    candidates: tuple[str, ...]
    maximum: timedelta
    minimum_units: int
    looks: int
    longest_answer: timedelta = timedelta()
    tails: tuple[MetricPlan, ...] = ()

    @property
    def answers_known(self) -> timedelta:
        """How long a stage lasts at least: twice the longest answer, so that half of it is known whole."""
        return 2 * self.longest_answer


@dataclass(frozen=True, slots=True)
class ExperimentState:
    """Where the experiment stands. `looks` are those taken until now, and `unread` is why they cannot be read.

    Both times are by the experiment's own clock, which stands still while it is paused or stopped.
    """

    paused: bool
    stage_index: int
    stage_entered_at: datetime
    started_at: datetime
    looks: PastLooks
    unread: Problem | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, why in one sentence, and a code that stays the same while the reason's numbers change."""

    kind: DecisionKind
    code: str
    reason: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a rule may look at."""

    plan: Plan
    state: ExperimentState
    results: Results
    now: datetime
    stage_units: Mapping[str, int] = field(default_factory=dict)

    @property
    def stage(self) -> StagePlan:
        """The stage that the experiment is on."""
        return self.plan.stages[self.state.stage_index]

    @property
    def on_last_stage(self) -> bool:
        """Whether no further stage follows."""
        return self.state.stage_index == len(self.plan.stages) - 1

    @property
    def time_is_over(self) -> bool:
        """Whether the plan's time has passed, so that no look follows the present one."""
        return time_is_over(self.plan, self.state, self.now)

    @property
    def decisive(self) -> tuple[MetricResult, ...]:
        """The results that promotion depends on."""
        return tuple(result for result in self.results.metrics if result.role is not Role.OBSERVED)

    @property
    def soaked(self) -> timedelta:
        """Time spent on the stage; none while the clock says that it was not entered yet."""
        return max(timedelta(), self.now - self.state.stage_entered_at)

    @property
    def fewest_units(self) -> int:
        """Units with a request since the stage began, in the smallest arm."""
        variants = (self.plan.control, *self.plan.candidates)
        return min(self.stage_units.get(variant, 0) for variant in variants)


def time_is_over(plan: Plan, state: ExperimentState, now: datetime) -> bool:
    """Whether an experiment has had all the time that its plan gives it."""
    return now - state.started_at >= plan.maximum
