"""What a forecast says."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.problems.problem import Problem
from experiments.stats.core.types import Role

Source = Literal["history", "stated", "assumed"]
HarmUnit = Literal["users", "requests"]


class Fact(BaseModel):
    """A part of a forecast."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class Obstacle(Problem):
    """Why something cannot be computed; it stands in its place."""


class ExpectedArrivals(Fact):
    """Users that take part come as users_first_hour · hours ^ exponent."""

    users_first_hour: float = Field(description="Distinct users of the experiment in the first hour.")
    exponent: float = Field(description="1 when every hour brings as many new users, less when they come back.")
    source: Source


class SmallestEffect(Fact):
    """What can be seen after so many days on the last stage."""

    days: float
    effect: float | None = Field(description="Relative to the control; null when no effect is seen.")


class MetricNeeds(Fact):
    """What one goal or guardrail of one candidate needs."""

    metric: str
    name: str
    role: Role
    variant: str
    baseline: float | None = Field(description="The metric's value today.")
    source: Source | None
    units: float | None = Field(description="Users of the candidate until it is answered.")
    control_units: float | None
    heavy_requests: float | None = Field(
        description="Of a share of requests that needs more users as some of them send much: requests that each of "
        "about ten users of a variant sends; else null."
    )
    smallest_effects: tuple[SmallestEffect, ...] = Field(
        description="The smallest effect of a goal, or the smallest margin of a guardrail, that is shown by then."
    )
    obstacle: Obstacle | None


class PlanNeeds(Fact):
    """What the whole plan needs: as much as its most demanding metric."""

    units: float | None = Field(description="Users of all variants together.")
    binding_metric: str | None
    binding_variant: str | None
    obstacle: Obstacle | None


class ExpectedStage(Fact):
    """A stage as it will go; hours are counted from the start."""

    coverage: float = Field(description="In per cent.")
    begins_hours: float
    ends_hours: float
    units: float = Field(description="Users of the binding candidate at its end.")


class Duration(Fact):
    """How long it takes until the plan is answered."""

    days: float | None
    whole_weeks_days: float | None = Field(description="Rounded up to whole weeks.")
    maximum_days: float
    stages: tuple[ExpectedStage, ...]
    obstacle: Obstacle | None = Field(
        description="`too-slow` when it takes longer than the plan allows, `crowd-too-small` when users are always the "
        "same and too few."
    )


class ExpectedOutcome(Fact):
    """Chances and means over all runs of one scenario."""

    scenario: str
    promote: float
    halt: float
    inconclusive: float
    mean_days: float
    users_exposed: float = Field(description="Mean number of users whom the candidates served until the end.")
    users_until_halt: float | None = Field(description="The same over the runs that were halted; null if none was.")
    harmed_until_halt: float | None = Field(
        description="Mean number of users or requests that fail before a halt and would not with the control; "
        "null where harm cannot be counted, as with time."
    )
    harmed: HarmUnit | None = Field(description="What `harmed_until_halt` counts.")


class Simulation(Fact):
    """The plan tried out with the judge that will run it."""

    runs: int = Field(description="Of each scenario; fewer for plans with many tests.")
    scenarios: tuple[ExpectedOutcome, ...]
    obstacle: Obstacle | None


class Forecast(Fact):
    """What a plan needs and promises; what cannot be computed has an obstacle in its place."""

    experiment: str
    summary: str
    arrivals: ExpectedArrivals | None
    arrivals_obstacle: Obstacle | None
    needs: PlanNeeds
    duration: Duration
    metrics: tuple[MetricNeeds, ...]
    simulation: Simulation
