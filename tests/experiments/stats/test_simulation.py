"""A plan tried out before it runs: what it promises holds, and what it costs is said."""

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import Direction, JudgePlan, Role
from experiments.stats.metrics.heavy import THRESHOLDS
from experiments.stats.planning import Arrivals, Baseline, StageTarget, planned_units
from experiments.stats.planning.baseline import share, share_of_requests
from experiments.stats.simulation import Outcome, Rollout, Scenario, simulate, usual_scenarios
from tests.experiments.stats.samples import ERRORS, LATENCY, THUMBS, plan

pytestmark = pytest.mark.slow

RUNS = 1000
BASELINES = {
    "thumbs": share(0.4),
    "errors": share_of_requests(0.01, 5.0, correlation=0.1),
    "latency": Baseline(200.0, 0.5 * 200.0**2, denominator=5.0),
}
STAGES = (StageTarget(0.05, 2.0), StageTarget(0.25, 4.0), StageTarget(1.0, 12.0))
ROLLOUT = Rollout(plan(THUMBS, ERRORS, LATENCY), BASELINES, STAGES, Arrivals(400.0), maximum_hours=240.0, ticks=60)


def chance(limit: float) -> float:
    return 4.0 * math.sqrt(limit * (1.0 - limit) / RUNS)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    found = simulate(ROLLOUT, usual_scenarios(ROLLOUT.plan), runs=RUNS)
    return {outcome.scenario: outcome for outcome in found}


def test_every_run_has_one_end(outcomes: dict[str, Outcome]) -> None:
    for outcome in outcomes.values():
        assert outcome.promote + outcome.halt + outcome.inconclusive == pytest.approx(1.0)
        assert 0.0 < outcome.hours <= 240.0
        assert outcome.runs == RUNS


def test_without_an_effect_both_error_rates_hold(outcomes: dict[str, Outcome]) -> None:
    nothing = outcomes["no effect"]
    assert nothing.promote <= 0.025 + chance(0.025)
    assert nothing.halt <= 0.01 + chance(0.01)


def test_the_smallest_effect_that_matters_is_found_as_often_as_planned(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["smallest effect that matters"].promote >= 0.8


def test_a_larger_harm_is_halted_sooner_and_reaches_fewer_users(outcomes: dict[str, Outcome]) -> None:
    harms = [outcomes[f"latency +{size} %"] for size in (25, 50, 100, 400)]
    exposed = [outcome.candidate_units for outcome in harms]
    assert all(outcome.halt > 0.99 for outcome in harms)
    assert exposed == sorted(exposed, reverse=True)
    assert exposed[-1] < 0.05 * outcomes["no effect"].candidate_units


def test_a_harm_is_never_promoted(outcomes: dict[str, Outcome]) -> None:
    harms = [outcome for name, outcome in outcomes.items() if "+" in name and not name.startswith("errors +25")]
    assert max(outcome.promote for outcome in harms) <= 0.05 + chance(0.05)


def test_a_harm_at_the_margin_passes_at_most_as_often_as_promised() -> None:
    """Latency is worse by just its margin and the goal is met for sure: alpha of runs promote, whatever the looks."""
    border = Scenario("at the margin", {"latency": LATENCY.margin, "thumbs": 0.5})
    (found,) = simulate(ROLLOUT, [border], runs=RUNS, seed=7)
    assert found.promote <= 0.05 + chance(0.05)
    assert found.promote > 0.01


def test_the_same_seed_says_the_same_and_another_one_does_not() -> None:
    scenarios = usual_scenarios(ROLLOUT.plan)[:2]
    first, again = (simulate(ROLLOUT, scenarios, runs=100, seed=3) for _ in range(2))
    other = simulate(ROLLOUT, scenarios, runs=100, seed=4)
    assert first == again
    assert first != other


def test_several_candidates_share_alpha() -> None:
    several = replace(ROLLOUT, plan=plan(THUMBS, candidates=3))
    (nothing,) = simulate(several, [Scenario("no effect")], runs=RUNS)
    assert nothing.promote <= 0.025 + chance(0.025)
    assert nothing.promote > 0.005


def test_the_planned_units_give_the_planned_power() -> None:
    """What planning says and what simulation finds are the same number, looks and all."""
    judged = plan(THUMBS)
    needed = planned_units(judged, BASELINES).binding.units
    hours = needed / (400.0 * 0.5)
    rollout = Rollout(judged, BASELINES, (StageTarget(1.0, 1.0),), Arrivals(400.0), maximum_hours=hours, ticks=60)
    (found,) = simulate(rollout, usual_scenarios(judged)[1:2], runs=RUNS)
    assert found.promote == pytest.approx(0.8, abs=chance(0.8) + 0.02)
    assert found.hours < 0.9 * hours


@pytest.mark.parametrize("ticks", [40, 160])
def test_goal_and_guardrail_together_have_the_planned_power(ticks: int) -> None:
    """However often one looks: what the faster of both has shown is kept while the slower one collects."""
    guardrail = replace(THUMBS, key="failed", role=Role.GUARDRAIL, direction=Direction.DECREASE, margin=0.25)
    judged = plan(THUMBS, guardrail)
    baselines = {"thumbs": share(0.1), "failed": share(0.05)}
    hours = 1.2 * planned_units(judged, baselines).total / 500.0
    rollout = Rollout(judged, baselines, (StageTarget(1.0, 1.0),), Arrivals(500.0), maximum_hours=hours, ticks=ticks)
    (found,) = simulate(rollout, usual_scenarios(judged)[1:2], runs=RUNS)
    assert found.promote >= 0.8 - chance(0.8)


def test_a_share_of_requests_of_few_heavy_users_is_not_promoted_by_chance_alone() -> None:
    """Without harm, with users enough for the errors that are seen: what heavy ones may do keeps a fixed crowd."""
    errors = replace(ERRORS, margin=0.005, counts_events=True)
    light, heavy = (
        replace(
            share_of_requests(0.002, 4.0, correlation=0.0),
            reached=tuple(0.05 if threshold <= requests else 0.0 for threshold in THRESHOLDS),
        )
        for requests in (4, 60)
    )
    outcomes = {}
    for name, baseline in (("light", light), ("heavy", heavy)):
        for most in (6000.0, math.inf):
            rollout = Rollout(
                plan(errors),
                {"errors": baseline},
                (StageTarget(1.0, 1.0),),
                Arrivals(500.0, 1.0, most),
                500.0,
                ticks=30,
            )
            [outcomes[name, most]] = simulate(rollout, [Scenario("no effect")], runs=100)

    assert outcomes["light", 6000.0].promote > 0.9
    assert outcomes["heavy", 6000.0].promote == 0.0
    assert outcomes["heavy", 6000.0].inconclusive == 1.0
    assert outcomes["heavy", math.inf].promote > 0.8


def test_observed_metrics_decide_nothing() -> None:
    watched = replace(THUMBS, key="watched", role=Role.OBSERVED)
    judged = plan(THUMBS, watched)
    rollout = replace(ROLLOUT, plan=judged, baselines={**BASELINES, "watched": share(0.4)})
    (found,) = simulate(rollout, [Scenario("the goal alone", {"thumbs": 0.3})], runs=100)
    assert found.promote == 1.0


@pytest.mark.parametrize(
    ("rollout", "code"),
    [
        (replace(ROLLOUT, baselines={}), "baseline-missing"),
        (replace(ROLLOUT, ticks=2), "ticks-range"),
        (replace(ROLLOUT, maximum_hours=1.0), "hours-range"),
        (replace(ROLLOUT, plan=JudgePlan((THUMBS,), "control", {"control": 0.7, "new": 0.7})), "shares-sum"),
    ],
)
def test_what_cannot_be_simulated_has_a_name(rollout: Rollout, code: str) -> None:
    with pytest.raises(StatisticsError) as error:
        simulate(rollout, [Scenario("no effect")], runs=10)
    assert error.value.code == code


def test_a_trickle_of_users_ends_without_a_verdict() -> None:
    slow = replace(ROLLOUT, arrivals=Arrivals(0.5))
    (found,) = simulate(slow, [Scenario("good", {"thumbs": 0.2})], runs=50)
    assert found.inconclusive > 0.9
    assert np.isfinite(found.candidate_units)
