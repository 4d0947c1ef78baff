"""Means that are adjusted by what users did before: the error rate, and the power that it gains."""

from dataclasses import dataclass

import numpy as np

from bench.calibration.rows import Row, chance_at_least, chance_at_most
from experiments.stats.adjust.covariate import CovariateSums
from experiments.stats.adjust.of_arms import adjustments
from experiments.stats.core.arrays import Floats
from experiments.stats.core.spending import Look
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MetricPlan,
    MetricType,
    PastLooks,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge

USERS, LOOKS = 400, 4
VALUE, SPREAD, EFFECT = 10.0, 2.0, 0.25
WITH_A_PAST = 0.8
GAINS = {0.0: 0.0, 0.7: 0.1}
"""By correlation, the power that is gained at the least."""
GOAL = MetricPlan("cost", MetricType.MEAN, Direction.INCREASE, Role.GOAL, minimum_effect=0.025)
GUARDRAIL = MetricPlan("cost", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)


@dataclass(frozen=True)
class Users:
    """An arm's users in the order in which they came: their values, those before, and who was there before."""

    after: Floats
    before: Floats
    known: Floats

    def covariate(self, count: int) -> CovariateSums:
        """Of the first users."""
        known = self.known[:count]
        return CovariateSums.of(self.after[:count], self.before[:count] * known, w=known)


def adjusted_means(runs: int) -> list[Row]:
    """Goals without an effect and with one, and a guardrail at a wide margin; looked at four times."""
    rows: list[Row] = []
    for number, correlation in enumerate(GAINS):
        rng, name = np.random.default_rng([71, number]), f"correlation {correlation:g}"
        hits = sum(_passes(GOAL, _arms(rng, correlation), adjusts=True) for _ in range(runs))
        rows.append(chance_at_most(f"false promotions of an adjusted goal, {name}", 0.05, hits, runs))
        both = [_arms(rng, correlation, effect=EFFECT) for _ in range(runs)]
        plain, adjusted = (sum(_passes(GOAL, arms, adjusts=each) for arms in both) for each in (False, True))
        least = plain / runs + GAINS[correlation]
        title = f"power of an adjusted goal, {name}: at least {GAINS[correlation]:g} above unadjusted"
        rows.append(chance_at_least(title, least, adjusted, runs))
    rng = np.random.default_rng([71, 2])
    arms = (_arms(rng, 0.95, effect=GUARDRAIL.margin * VALUE) for _ in range(runs))
    hits = sum(_passes(GUARDRAIL, each, adjusts=True) for each in arms)
    rows.append(chance_at_most("false promotions at an adjusted margin of 50 %, correlation 0.95", 0.05, hits, runs))
    return rows


def _arms(rng: np.random.Generator, correlation: float, effect: float = 0.0) -> tuple[Users, Users]:
    """The control and the candidate."""
    found = []
    for mean in (VALUE, VALUE + effect):
        before, own = rng.normal(0.0, 1.0, (2, USERS))
        after = mean + SPREAD * (correlation * before + np.sqrt(1.0 - correlation**2) * own)
        known = (rng.random(USERS) < WITH_A_PAST).astype(np.float64)
        found.append(Users(after, VALUE + SPREAD * before, known))
    return found[0], found[1]


def _passes(metric: MetricPlan, arms: tuple[Users, Users], *, adjusts: bool) -> bool:
    """Whether one of the looks shows what promotion asks for."""
    plan = JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5}, looks=LOOKS)
    taken: tuple[Look, ...] = ()
    for number in range(1, LOOKS + 1):
        looks = PastLooks({("cost", "new"): taken} if taken else {}, last=number == LOOKS)
        result = judge(plan, _evidence(arms, number * USERS // LOOKS, adjusts=adjusts), looks=looks).metrics[0]
        if result.verdict is Verdict.PASS:
            return True
        if result.information:
            taken = (*taken, Look(result.information, min(result.information_fraction or 0.0, 1.0)))
    return False


def _evidence(arms: tuple[Users, Users], count: int, *, adjusts: bool) -> Evidence:
    by_name = dict(zip(("control", "new"), arms, strict=True))
    sums = {("cost", name): UnitSums.of(users.after[:count]) for name, users in by_name.items()}
    evidence = Evidence(dict.fromkeys(by_name, count), sums)
    if not adjusts:
        return evidence
    covariates = {"cost": {name: users.covariate(count) for name, users in by_name.items()}}
    return adjustments(covariates, "control").applied(evidence)
