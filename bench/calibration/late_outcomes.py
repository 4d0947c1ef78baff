"""Outcomes that come later in one arm than in the other, and late ones that are alike: who is halted, or promoted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.calibration.rows import Row, chance_at_least, chance_at_most
from experiments.stats.core.spending import Look
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    PastLooks,
    Results,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.health.delays import Delays, delay_scores, settling_seconds, youngest
from experiments.stats.health.findings import ALPHA
from experiments.stats.health.late import LateOutcomes, OutcomeTiming, late_outcomes
from experiments.stats.judging.judge import judge

TICK = 10.0
TICKS = 32
USERS = 30
"""New users of an arm in a tick, each with one request."""

THUMBS_UP = 0.5
HARMED = 0.25
LATE = (2, 5, 10)
LOOK_EACH = 8
"""Ticks between two looks."""

Values = NDArray[np.float64]
ARMS = ("control", "new")


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """One arm's requests by their time, and when their outcomes become known: never for those without."""

    asked: Values
    known: Values

    @classmethod
    def drawn(cls, rng: np.random.Generator, share: float, late: float) -> "Requests":
        """A run's; delays are exponential with a mean of half a tick, and so many ticks more."""
        asked = np.sort(rng.random(TICKS * USERS) * TICKS * TICK)
        delay = late * TICK + rng.exponential(0.5 * TICK, asked.size)
        return cls(asked, np.where(rng.random(asked.size) < share, asked + delay, np.inf))


@dataclass(frozen=True, slots=True)
class Seen:
    """What one tick sees: sums over the users that count, when outcomes come, and what is found of that."""

    evidence: Evidence
    late: LateOutcomes


def seen_at(now: float, arms: Mapping[str, Requests]) -> Seen:
    """As the lake's evidence is collected, on arrays."""
    come = {arm: each.known <= now for arm, each in arms.items()}
    delays = {
        arm: Delays.of(now - each.asked[come[arm]], (each.known - each.asked)[come[arm]]) for arm, each in arms.items()
    }
    settling = settling_seconds(list(delays.values()), 3.0 * TICK, now)
    known = [arm for arm in arms if delays[arm].is_known]
    newest = [now - arms[arm].asked[come[arm]].max() for arm in known]
    oldest = 0.0 if settling is None else youngest(settling, newest)
    counts = {arm: each.asked <= now - oldest for arm, each in arms.items()}
    scores = {arm: _scores(arms[arm], come[arm] & counts[arm], list(delays.values())) for arm in arms}
    timing = OutcomeTiming(settling, False, {"label": {arm: delays[arm].total for arm in arms}}, scores, scores)
    requests = {arm: int((each.asked <= now).sum()) for arm, each in arms.items()}
    metrics = ("guardrail", "goal")
    sums = {
        (metric, arm): UnitSums.of(come[arm][counts[arm]]) for metric in metrics for arm in arms if settling is not None
    }
    late = late_outcomes(dict.fromkeys(metrics, timing), requests, "control")
    return Seen(Evidence(requests, sums), late)


def _scores(requests: Requests, counted: NDArray[np.bool_], delays: list[Delays]) -> UnitSums:
    if not counted.any():
        return UnitSums(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    steps, scores = delay_scores(delays)
    mine = Delays.of(np.zeros(int(counted.sum())), (requests.known - requests.asked)[counted])
    repeated = np.repeat(scores[np.searchsorted(steps, mine.delays)], mine.counts)
    return UnitSums.of(repeated)


def plan_of(role: Role) -> JudgePlan:
    """Thumbs-up of a user, as goal or as guardrail without any margin."""
    metric = MetricPlan(
        role.value, MetricType.PROPORTION, Direction.INCREASE, role, 0.0, MarginKind.ABSOLUTE, minimum_effect=0.1
    )
    return JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5})


@dataclass(slots=True)
class Ends:
    """What a run came to."""

    halted: bool = False
    halted_alone: bool = False
    promoted: bool = False
    said_late: bool = False


def run(rng: np.random.Generator, shares: tuple[float, float], late: tuple[float, float]) -> Ends:
    """One run to its end, with halts looked for in each tick; `halted_alone` is without what sets a metric aside."""
    arms = {arm: Requests.drawn(rng, *each) for arm, each in zip(ARMS, zip(shares, late, strict=True), strict=True)}
    ends, looks = Ends(), PastLooks()
    guardrail, goal = plan_of(Role.GUARDRAIL), plan_of(Role.GOAL)
    for tick in range(1, TICKS + 1):
        seen = seen_at(tick * TICK, arms)
        if judge(guardrail, seen.evidence).halt.reached:
            ends.halted_alone = True
            ends.halted |= ("guardrail", "new") not in seen.late.reasons
        ends.said_late |= bool(seen.late.findings())
        if tick % LOOK_EACH == 0:
            looks = replace(looks, last=tick == TICKS)
            results = seen.late.noted(judge(goal, seen.late.without(seen.evidence), looks=looks))
            ends.promoted |= results.metrics[0].verdict is Verdict.PASS and not seen.late.findings()
            looks = _after(looks, results)
    return ends


def _after(looks: PastLooks, results: Results) -> PastLooks:
    result = results.metrics[0]
    name = result.metric, result.variant
    if not result.information:
        return looks
    look = Look(result.information, min(result.information_fraction or 0.0, 1.0))
    return replace(looks, taken={name: (*looks.taken.get(name, ()), look)})


def late_in_one_arm(runs: int) -> list[Row]:
    """Identical arms, outcomes 2, 5 and 10 ticks later in either: as a guardrail, and as a goal."""
    runs = max(1, runs // 40)
    rng, rows = np.random.default_rng(61), []
    for ticks in LATE:
        for arm, late in (("candidate", (0.0, float(ticks))), ("control", (float(ticks), 0.0))):
            ends = [run(rng, (THUMBS_UP, THUMBS_UP), late) for _ in range(runs)]
            rows += list(_identical(f"outcomes {ticks} ticks later in the {arm}", ends))
    return rows


def _identical(name: str, ends: list[Ends]) -> Iterator[Row]:
    runs = len(ends)
    yield chance_at_most(f"{name}: halted", 0.01, sum(end.halted for end in ends), runs)
    alone = sum(end.halted_alone for end in ends)
    yield chance_at_most(f"{name}: halted, were nothing set aside", 0.01, alone, runs)
    yield chance_at_most(f"{name}: promoted", 0.05, sum(end.promoted for end in ends), runs)
    yield chance_at_least(f"{name}: said so", 0.95, sum(end.said_late for end in ends), runs)


def late_alike(runs: int) -> list[Row]:
    """Outcomes late by 5 ticks in both arms: harm is found, and nothing is said of delays that do not differ."""
    runs = max(1, runs // 10)
    rng = np.random.default_rng(62)
    same = [run(rng, (THUMBS_UP, THUMBS_UP), (5.0, 5.0)) for _ in range(runs)]
    harmed = [run(rng, (THUMBS_UP, HARMED), (5.0, 5.0)) for _ in range(runs)]
    name = "outcomes 5 ticks late in both arms"
    return [
        chance_at_most(f"{name}: halted", 0.01, sum(end.halted for end in same), runs),
        chance_at_most(f"{name}: promoted", 0.05, sum(end.promoted for end in same), runs),
        chance_at_most(f"{name}: said to differ", ALPHA, sum(end.said_late for end in same), runs),
        chance_at_least(f"{name}, 25 for 50 % of users like it: halted", 0.95, sum(end.halted for end in harmed), runs),
    ]
