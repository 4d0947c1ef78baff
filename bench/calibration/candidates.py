"""Several candidates share alpha, several goals of one do not: false promotions, and users that it takes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.calibration.rows import Row, chance_at_least, chance_at_most, number_at_most
from experiments.stats.core.spending import Look
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MetricPlan,
    MetricResult,
    MetricType,
    PastLooks,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge
from experiments.stats.judging.looks import joint_power, level_of
from experiments.stats.planning import Question, planned_units, units_needed
from experiments.stats.planning.baseline import share

RATE, MARGIN = 0.1, 0.25
LOOKS = (1000, 2000)
"""Users of each arm at each look."""
GUARDRAIL = MetricPlan("failed", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=MARGIN)
GOAL = MetricPlan("thumbs", MetricType.PROPORTION, Direction.INCREASE, Role.GOAL, minimum_effect=0.2)


def candidates_at_the_margin(runs: int) -> list[Row]:
    """Each of 1, 2, 3 or 5 candidates fails exactly as much more often as is accepted: any of them is promoted."""
    rows = []
    for count in (1, 2, 3, 5):
        rng = np.random.default_rng([61, count])
        plan = plan_of(GUARDRAIL, candidates=count)
        rates = {GUARDRAIL.key: RATE * (1.0 + MARGIN)}
        hits = sum(is_promoted(rng, plan, rates) for _ in range(runs))
        rows.append(chance_at_most(f"false promotion, {count} candidates exactly at the margin", 0.05, hits, runs))
    return rows


def goals_without_an_effect(runs: int) -> list[Row]:
    """One goal of two is met by far in each of 3 candidates, the other by none: 2.5 %, as goals are two-sided."""
    rng, hits = np.random.default_rng(62), 0
    plan = plan_of(GOAL, replace(GOAL, key="second"), candidates=3)
    for _ in range(runs):
        hits += is_promoted(rng, plan, {GOAL.key: RATE, "second": 2.0 * RATE})
    return [chance_at_most("false promotion, 3 candidates, one goal of two not met", 0.025, hits, runs)]


def several_goals(runs: int) -> list[Row]:
    """3 goals and 2 guardrails: the size that is planned promotes with the plan's power, and Holm's would be larger."""
    rng, hits = np.random.default_rng(63), 0
    metrics = [
        replace(each, key=f"{each.key}-{n}") for each, count in ((GOAL, 3), (GUARDRAIL, 2)) for n in range(count)
    ]
    plan = replace(plan_of(*metrics), looks=1)
    baselines = {metric.key: share(RATE) for metric in metrics}
    needed = planned_units(plan, baselines)
    largest = max(each.units for each in needed.metrics)
    better = {metric.key: RATE * (1.2 if metric.role is Role.GOAL else 1.0) for metric in metrics}
    hits = sum(is_promoted(rng, plan, better, (int(np.ceil(largest)),)) for _ in range(runs))
    ours = Question(level=level_of(plan, Role.GOAL), power=joint_power(plan))
    holm = replace(ours, level=ours.level / 3.0)
    of_goals = [units_needed(share(RATE), 0.2 * RATE, question) for question in (ours, holm)]
    return [
        chance_at_least("power of a plan with 3 goals and 2 guardrails at its size, 80 % promised", 0.8, hits, runs),
        number_at_most(
            "users that 3 goals need, over those with alpha shared by goals", 0.85, of_goals[0] / of_goals[1]
        ),
    ]


def plan_of(*metrics: MetricPlan, candidates: int = 1) -> JudgePlan:
    """Equal shares."""
    names = ("control", *(f"new-{number}" for number in range(candidates)))
    return JudgePlan(metrics, "control", dict.fromkeys(names, 1.0 / len(names)), looks=len(LOOKS))


def is_promoted(
    rng: np.random.Generator, plan: JudgePlan, rates: dict[str, float], looks: Sequence[int] = LOOKS
) -> bool:
    """Whether any candidate has all it needs at one of the looks, the control's rate being the usual one."""
    before, past = 0, PastLooks()
    events = {(metric.key, name): 0 for metric in plan.metrics for name in plan.shares}
    for users in looks:
        for key, name in events:
            rate = RATE if name == plan.control else rates[key]
            events[key, name] += int(rng.binomial(users - before, rate))
        sums = {cell: UnitSums(users, count, users, count, users, count) for cell, count in events.items()}
        past = replace(past, last=users == looks[-1])
        found = judge(plan, Evidence(dict.fromkeys(plan.shares, users), sums), looks=past).metrics
        past, before = _after(past, found), users
        shown = {name: [r.verdict is Verdict.PASS for r in found if r.variant == name] for name in plan.shares}
        if any(passes and all(passes) for passes in shown.values()):
            return True
    return False


def _after(past: PastLooks, found: Sequence[MetricResult]) -> PastLooks:
    """The looks with the present one."""
    taken, shown = dict(past.taken), set(past.shown)
    for result in found:
        name = result.metric, result.variant
        if result.information:
            taken[name] = (*taken.get(name, ()), Look(result.information, result.information_fraction or 0.0))
        if result.verdict is Verdict.PASS:
            shown.add(name)
    return PastLooks(taken, frozenset(shown))
