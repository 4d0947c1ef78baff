"""Harm that begins late: how soon it is halted, how rarely anything else is, and stages that are cut short."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_most, number_at_most
from experiments.decide import DecisionKind, ExperimentState, Label, Plan, StagePlan, decide
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    PastLooks,
    Role,
    UnitSums,
)
from experiments.stats.judging.cells import Cells, arrange
from experiments.stats.judging.harm import has_exact_test, is_burnt_in, log_harm
from experiments.stats.judging.judge import judge
from experiments.stats.judging.later import PART_FROM_START, PART_OF_PLANNED, critical_of_maximum, harm_z
from experiments.stats.sequential.starts import starts_in_use

ERRORS = MetricPlan(
    "errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.02, MarginKind.ABSOLUTE, minimum_effect=1.0
)
EQUAL = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, minimum_effect=1.0)
FAILED = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, minimum_effect=1.0)
GUARDRAILS = 5
"""As many guardrails as a plan has by default share alpha; the others see nothing."""
NEVER = 10**9

LONGEST = timedelta(hours=2)


@dataclass(frozen=True)
class World:
    """Users a tick and arm, their mean requests, and the rate of errors by tick for control and candidate."""

    metric: MetricPlan
    users: int
    rates: tuple[Values, Values]
    requests: float = 2.0

    @property
    def ticks(self) -> int:
        """How long it lasts."""
        return int(self.rates[0].size)


def halted_at(rng: np.random.Generator, world: World, runs: int, *, begin: int = 1) -> NDArray[np.int64]:
    """The tick at which each of so many rollouts halts, looked at from tick `begin` on; `NEVER` where none does."""
    arms = [_cumulative(rng, world, runs, rates) for rates in world.rates]
    when = np.full(runs, NEVER)
    for tick in range(begin, world.ticks + 1):
        when = np.where((when == NEVER) & _halts(world.metric, arms, tick), tick, when)
        if np.all(when < NEVER):
            break
    return when


def _cumulative(rng: np.random.Generator, world: World, runs: int, rates: Values) -> Values:
    """n, Y, D, Y², D², Y·D of all users until each tick, from tick 0 on: (sum, run, tick). Each tick has new users."""
    requests = 1 + rng.poisson(world.requests - 1.0, (runs, world.ticks, world.users))
    errors = rng.binomial(requests, rates[None, :, None])
    if world.metric.type is MetricType.PROPORTION:
        errors, requests = np.minimum(errors, 1), np.ones_like(requests)
    ones = np.ones_like(requests)
    parts = (ones, errors, requests, errors**2, requests**2, errors * requests)
    sums = np.stack([part.sum(axis=2) for part in parts]).astype(np.float64)
    return np.concatenate([np.zeros((6, runs, 1)), sums.cumsum(axis=2)], axis=2)


def _halts(metric: MetricPlan, arms: list[Values], tick: int) -> NDArray[np.bool_]:
    """Whether each run halts: by evidence from the start, or since a planned start in use."""
    starts = starts_in_use(tick)
    numbers = np.array([0, *(start.ticks for start in starts)])
    control, new = (arm[:, :, tick][:, :, None] - arm[:, :, numbers] for arm in arms)
    shares = np.array([PART_OF_PLANNED * start.share for start in starts])
    return halts(metric, (control, new), shares)


def halts(metric: MetricPlan, arms: tuple[Values, Values], shares: Values) -> NDArray[np.bool_]:
    """By run; sums are (sum, run, start), those from the first request on in front."""
    runs, count = arms[0].shape[1:]
    plan = JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5})
    alpha = plan.halt_alpha / 2.0 / GUARDRAILS
    with np.errstate(all="ignore"):
        cells = _cells(metric, arms)
        first = log_harm(plan, _cells(metric, (arms[0][:, :, :1], arms[1][:, :, :1])))
        said = (has_exact_test(cells) | is_burnt_in(plan, cells)).reshape(runs, count)[:, 1:]
        z = harm_z(cells).reshape(runs, count)[:, 1:]
    since = said & (z >= critical_of_maximum(alpha * shares))
    return np.asarray((first >= -math.log(alpha * PART_FROM_START)) | np.any(since, axis=1), dtype=np.bool_)


def _cells(metric: MetricPlan, arms: tuple[Values, Values]) -> Cells:
    count = arms[0][0].size
    control, new = (SumsColumns(*(part.ravel() for part in arm)) for arm in arms)
    return arrange([metric] * count, ["new"] * count, new, control)


def late_change(runs: int) -> list[Row]:
    """Errors rise from 1 % to 6 or 11 % beside a margin of 2 pp: from the first request, or after good hours.

    Of 40 users a tick; the delay of a fresh start is the median of as many runs.
    """
    rows = []
    for number, harmful in enumerate((0.06, 0.11)):
        rng = np.random.default_rng([61, number])
        fresh = float(np.median(halted_at(rng, _changed(harmful, 0, 150), min(runs, 1000))))
        name = f"median ticks until a halt, errors 1 % to {harmful:.0%}, after"
        rows.append(Row(f"{name} 0 ticks: a fresh start", "none set", f"{fresh:g}", min(runs, 1000), 0.0, holds=True))
        for times, most in ((1, 1000), (10, 1000), (100, 200)):
            count, before = min(runs, most), round(times * fresh)
            world = _changed(harmful, before, round(4 * fresh) + 4)
            delays = np.concatenate(
                [halted_at(rng, world, size, begin=before + 1) - before for size in _chunks(count, world)]
            )
            limit, median = 2.0 * fresh, float(np.median(delays))
            error = 1.57 * float(np.subtract(*np.quantile(delays, [0.75, 0.25]))) / math.sqrt(count) / 1.35
            what = f"{name} {times} such delays"
            rows.append(number_at_most(what, limit, median, runs=count, error=error, unit="ticks"))
    return rows


def _changed(rate: float, before: int, after: int) -> World:
    control = np.full(before + after, 0.01)
    candidate = np.where(np.arange(before + after) < before, 0.01, rate)
    return World(ERRORS, 40, (control, candidate))


def _chunks(runs: int, world: World, *, most: float = 4e6) -> list[int]:
    """Parts of the runs that fit in memory."""
    size = max(1, int(most / (world.ticks * world.users)))
    return [min(size, runs - done) for done in range(0, runs, size)]


def long_quiet(runs: int) -> list[Row]:
    """No harm over 1,000 ticks with a halt looked for at each: requests and users that fail, both arms alike."""
    rows = []
    for number, (metric, name) in enumerate(((EQUAL, "errors per request"), (FAILED, "users who fail"))):
        count = min(runs, 400)
        rng, rates = np.random.default_rng([62, number]), np.full(1000, 0.03)
        world = World(metric, 12, (rates, rates))
        when = np.concatenate([halted_at(rng, world, size) for size in _chunks(count, world)])
        what = f"false halt within 1,000 ticks, from the start and all later ones, {name}"
        rows.append(chance_at_most(what, 0.005, int(np.sum(when < NEVER)), count))
    return rows


def returning_users(runs: int) -> list[Row]:
    """The same for 300 users an arm who come back all the time and differ in how often they fail."""
    count = min(runs, 250)
    rng = np.random.default_rng(63)
    halted = sum(int(np.sum(_returning(rng, min(50, count - done)))) for done in range(0, count, 50))
    what = "false halt within 400 ticks, from the start and all later ones, users who come back"
    return [chance_at_most(what, 0.005, halted, count)]


def _returning(rng: np.random.Generator, runs: int, *, users: int = 300, ticks: int = 400) -> NDArray[np.bool_]:
    totals = []
    for _ in range(2):
        activity = rng.gamma(0.5, 0.6, (runs, users, 1))
        frailty = np.minimum(0.03 * rng.lognormal(-0.5, 1.0, (runs, users, 1)), 1.0)
        requests = rng.poisson(activity, (runs, users, ticks))
        errors = rng.binomial(requests, frailty)
        both = np.stack([errors, requests]).astype(np.float32).cumsum(axis=3)
        totals.append(np.concatenate([np.zeros((2, runs, users, 1), dtype=np.float32), both], axis=3))
    halted = np.zeros(runs, dtype=np.bool_)
    for tick in range(1, ticks + 1):
        starts = starts_in_use(tick)
        numbers = np.array([0, *(start.ticks for start in starts)])
        shares = np.array([PART_OF_PLANNED * start.share for start in starts])
        control, new = (_since(both[..., tick, None] - both[..., numbers]) for both in totals)
        halted |= halts(EQUAL, (control, new), shares)
    return halted


def _since(totals: NDArray[np.float32]) -> Values:
    """n, Y, D, Y², D², Y·D by run and start, of the users with a request since."""
    y, d = totals.astype(np.float64)
    parts = ((d > 0).astype(np.float64), y, d, y * y, d * d, y * d)
    return np.stack([part.sum(axis=1) for part in parts])


def cut_short(runs: int) -> list[Row]:
    """Traffic is cut at a random moment of stage 2: the stage is never left without users of its own."""
    rng, count = np.random.default_rng(64), min(runs, 2000)
    left = sum(_leaves_without_users(rng) for _ in range(count))
    return [chance_at_most("a stage is left with fewer users of its own than the plan asks for", 0.0, left, count)]


def _leaves_without_users(rng: np.random.Generator) -> bool:
    began, soak = datetime(2026, 1, 5, 9, tzinfo=UTC), timedelta(minutes=10)
    plan = Plan(
        stages=(StagePlan(1000, soak), StagePlan(5000, soak), StagePlan(10_000, soak)),
        metrics=(ERRORS,),
        labels={"errors": Label("Errors", "%")},
        control="control",
        candidates=("new",),
        maximum=LONGEST,
        minimum_units=100,
        looks=20,
    )
    own = rng.poisson(rng.uniform(0.0, 250.0), 2)
    entered = began + soak
    before = int(rng.integers(100, 5000))
    units = {"control": before + int(own[0]), "new": before + int(own[1])}
    arm = UnitSums.of(rng.binomial(2, 0.01, before), np.full(before, 2.0))
    evidence = Evidence(units, {("errors", "control"): arm, ("errors", "new"): arm})
    judged = judge(JudgePlan(plan.metrics, "control", {"control": 0.5, "new": 0.5}), evidence)
    results = replace(judged, stage_units={"control": int(own[0]), "new": int(own[1])})
    state = ExperimentState(False, 1, entered, began, PastLooks())
    waited = float(rng.uniform(soak / LONGEST, 3.0)) * LONGEST
    decision = decide(plan, state, results, entered + waited)
    too_few = min(own) < plan.minimum_units or began + plan.maximum <= entered + waited
    return bool(too_few and decision.kind is DecisionKind.ADVANCE)
