"""The plan tried out many times with the judge that will run it."""

from experiments.forecast.attempt import attempt
from experiments.forecast.prospect import Prospect
from experiments.forecast.types import ExpectedOutcome, Obstacle, Simulation
from experiments.stats.planning import Arrivals, PlannedUnits
from experiments.stats.simulation import Outcome, Rollout, Scenario, simulate, usual_scenarios

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
    return Simulation(runs=found[0].runs, scenarios=tuple(map(_fact, found)), obstacle=None)


def _outcomes(prospect: Prospect, needs: PlannedUnits | Obstacle) -> tuple[Outcome, ...] | Obstacle:
    arrivals = prospect.known.arrivals
    if isinstance(needs, Obstacle):
        return needs
    if isinstance(arrivals, Obstacle):
        return arrivals
    scenarios = _scenarios(prospect)
    runs = min(RUNS, BUDGET // (len(scenarios) * _tests(prospect)))
    if runs < FEWEST_RUNS:
        return _too_large(prospect)
    return attempt(lambda: simulate(_rollout(prospect, arrivals), scenarios, runs=runs))


def _scenarios(prospect: Prospect) -> tuple[Scenario, ...]:
    """The usual ones, with as many sizes of harm as there is time for."""
    choices = [usual_scenarios(prospect.plan, harms=harms) for harms in HARMS]
    return next((choice for choice in choices if len(choice) <= MOST_SCENARIOS), choices[-1])


def _rollout(prospect: Prospect, arrivals: Arrivals) -> Rollout:
    ticks = max(TICKS, len(prospect.stages))
    known = prospect.known.baselines
    return Rollout(prospect.plan, known, prospect.stages, arrivals, prospect.maximum_hours, ticks)


def _tests(prospect: Prospect) -> int:
    return len(prospect.plan.metrics) * (len(prospect.plan.shares) - 1)


def _too_large(prospect: Prospect) -> Obstacle:
    return Obstacle(
        code="too-many-tests",
        detail=f"Trying out a plan with {_tests(prospect)} tests of metrics takes too long.",
        next_step="Make some metrics observed, or compare fewer candidates; all other parts of the forecast hold.",
    )


def _fact(outcome: Outcome) -> ExpectedOutcome:
    return ExpectedOutcome(
        scenario=outcome.scenario,
        promote=outcome.promote,
        halt=outcome.halt,
        inconclusive=max(outcome.inconclusive, 0.0),
        mean_days=outcome.hours / HOURS_A_DAY,
        users_exposed=outcome.candidate_units,
    )
