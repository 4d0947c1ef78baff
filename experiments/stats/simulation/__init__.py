"""A plan tried out many times before it runs, with the judge that will run it."""

from experiments.stats.simulation.outcome import Outcome
from experiments.stats.simulation.scenario import Rollout, Scenario, twice_the_margin, usual_scenarios
from experiments.stats.simulation.simulate import simulate

__all__ = ["Outcome", "Rollout", "Scenario", "simulate", "twice_the_margin", "usual_scenarios"]
