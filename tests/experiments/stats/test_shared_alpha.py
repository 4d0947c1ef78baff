"""Candidates share alpha, as any of them may be promoted; goals and guardrails of one do not, as all have to pass."""

from dataclasses import replace

import pytest
from scipy import special

from experiments.stats.core.types import Direction, MetricPlan, MetricType, PastLooks, Role
from experiments.stats.judging.judge import judge
from experiments.stats.planning import planned_units
from experiments.stats.planning.baseline import share as share_of_units
from experiments.stats.planning.whole_plan import question_of
from tests.experiments.stats.samples import FAILED_USERS, THUMBS, evidence, plan, share, together

LAST = PastLooks(last=True)


@pytest.mark.parametrize("candidates", [1, 2, 3, 5])
def test_each_candidate_is_tested_at_its_share_of_alpha(candidates: int) -> None:
    """Bonferroni: guardrails at 5 % over the candidates, goals at half of that, at the only look."""
    metrics = (FAILED_USERS, THUMBS)
    arms = [evidence(m, *[share(5000, 500)] * (candidates + 1)) for m in metrics]
    found = judge(replace(plan(*metrics, candidates=candidates), looks=1), together(*arms), looks=LAST).metrics
    expected = {Role.GUARDRAIL: special.ndtri(1 - 0.05 / candidates), Role.GOAL: special.ndtri(1 - 0.025 / candidates)}
    for result in found:
        assert result.critical_value == pytest.approx(expected[result.role], abs=1e-6)


def test_goals_of_one_candidate_do_not_share() -> None:
    goals = [replace(THUMBS, key=f"thumbs-{number}") for number in range(3)]
    arms = [evidence(goal, share(5000, 2500), share(5000, 2500 + 100 * n)) for n, goal in enumerate(goals)]
    found = judge(replace(plan(*goals), looks=1), together(*arms), looks=LAST).metrics
    assert [result.critical_value for result in found] == pytest.approx([1.959964] * 3, abs=1e-5)


def test_the_planned_size_follows_the_levels() -> None:
    """Three goals at 2.5 % each, and 20 % that may be missed over three: (1.960 + 1.501)² over (1.960 + 0.842)²."""
    goals = [replace(THUMBS, key=f"thumbs-{number}") for number in range(3)]
    baselines = {goal.key: share_of_units(0.5) for goal in goals}
    one = planned_units(replace(plan(goals[0]), looks=1), baselines).binding.units
    three = planned_units(replace(plan(*goals), looks=1), baselines).binding.units
    assert three / one == pytest.approx((1.95996 + 1.50109) ** 2 / (1.95996 + 0.84162) ** 2, rel=0.01)
    guardrail = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
    for candidates in (1, 3):
        asked = question_of(plan(guardrail, *goals, candidates=candidates), guardrail, "new")
        assert (asked.level, asked.power) == pytest.approx((0.05 / candidates, 1 - 0.2 / 4))
