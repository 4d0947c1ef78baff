"""The plan tried out many times with the judge that will run it."""

import math

from experiments.forecast.attempt import attempt
from experiments.forecast.prospect import Prospect
from experiments.forecast.types import ExpectedOutcome, HarmUnit, Obstacle, Simulation
from experiments.stats.core.types import Role
from experiments.stats.metrics import KINDS
from experiments.stats.planning import Arrivals, PlannedUnits
from experiments.stats.simulation import Outcome, Rollout, Scenario, simulate, twice_the_margin, usual_scenarios

RUNS = 500
FEWEST_RUNS = 50
TICKS = 40
BUDGET = 60_000
"""Scenarios times tests of metrics times runs that take a few seconds."""

HARMS = ((0.25, 0.5, 1.0, 4.0), (0.5, 1.0), (1.0,))
"""Sizes of harm to try out; fewer where there are many guardrails."""
MOST_SCENARIOS = 20
HOURS_A_DAY = 24.0


def simulation(prospect: Prospect, needs: PlannedUnits | Obstacle) -> Simulation:
    """Chances of what comes of the plan in the usual scenarios, or why they are not known."""
    found = _outcomes(prospect, needs)
    if isinstance(found, Obstacle):
        return Simulation(runs=0, scenarios=(), obstacle=found)
    facts = tuple(_fact(prospect, scenario, outcome) for scenario, outcome in found)
    return Simulation(runs=found[0][1].runs, scenarios=facts, obstacle=None)


def _outcomes(prospect: Prospect, needs: PlannedUnits | Obstacle) -> list[tuple[Scenario, Outcome]] | Obstacle:
    arrivals = prospect.known.arrivals
    if isinstance(needs, Obstacle):
        return needs
    if isinstance(arrivals, Obstacle):
        return arrivals
    scenarios = _scenarios(prospect)
    runs = min(RUNS, BUDGET // (len(scenarios) * _tests(prospect)))
    if runs < FEWEST_RUNS:
        return _too_large(prospect)
    rollout = _rollout(prospect, arrivals)
    return attempt(lambda: list(zip(scenarios, simulate(rollout, scenarios, runs=runs), strict=True)))


def _scenarios(prospect: Prospect) -> tuple[Scenario, ...]:
    """The usual ones, with as many sizes of harm as there is time for, and twice what each guardrail accepts."""
    beyond = twice_the_margin(prospect.plan, prospect.known.baselines)
    choices = [(*usual_scenarios(prospect.plan, harms=harms), *beyond) for harms in HARMS]
    return next((choice for choice in choices if len(choice) <= MOST_SCENARIOS), choices[-1])


def _rollout(prospect: Prospect, arrivals: Arrivals) -> Rollout:
    ticks = max(TICKS, len(prospect.stages))
    known = prospect.known.baselines
    return Rollout(prospect.plan, known, prospect.stages, arrivals, prospect.maximum_hours, ticks)


def _tests(prospect: Prospect) -> int:
    return len(prospect.plan.metrics) * (len(prospect.plan.shares) - 1)


def _too_large(prospect: Prospect) -> Obstacle:
    return Obstacle.of(
        "too-many-tests",
        f"Trying out a plan with {_tests(prospect)} tests of metrics takes too long.",
        "Make some metrics observed, or compare fewer candidates; all other parts of the forecast hold.",
    )


def _fact(prospect: Prospect, scenario: Scenario, outcome: Outcome) -> ExpectedOutcome:
    until_halt = outcome.units_until_halt if math.isfinite(outcome.units_until_halt) else None
    harmed, unit = _harmed(prospect, scenario)
    return ExpectedOutcome(
        scenario=outcome.scenario,
        promote=outcome.promote,
        halt=outcome.halt,
        inconclusive=max(outcome.inconclusive, 0.0),
        mean_days=outcome.hours / HOURS_A_DAY,
        users_exposed=outcome.candidate_units,
        users_until_halt=until_halt,
        harmed_until_halt=None if unit is None or until_halt is None else until_halt * harmed,
        harmed=unit,
    )


def _harmed(prospect: Prospect, scenario: Scenario) -> tuple[float, HarmUnit | None]:
    """How many of a user's requests, or which part of users, the candidate harms and the control would not."""
    for metric in prospect.plan.metrics:
        effect = scenario.effects.get(metric.key, 0.0)
        if metric.role is Role.GUARDRAIL and effect and (metric.counts_events or KINDS[metric.type].is_share):
            baseline = prospect.known.baselines[metric.key]
            unit: HarmUnit = "users" if KINDS[metric.type].is_share else "requests"
            return abs(baseline.value * effect) * baseline.denominator, unit
    return 0.0, None
