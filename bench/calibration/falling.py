"""Information that falls, by the spending that asks for least early: new users who vary more, and totals that grow."""

import numpy as np

from bench.calibration.always import MARGIN, TICKS, USERS, WORLDS
from bench.calibration.guarded import Arms, End, Rollouts, arrivals, roll_out
from bench.calibration.rows import Row, chance_at_most
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.spending import OBRIEN_FLEMING, POCOCK, Spending
from experiments.stats.core.types import Direction, JudgePlan, MetricPlan, MetricType, Role

MOST_RUNS = 1000
SPENDINGS = {"Pocock": POCOCK, "O'Brien-Fleming": OBRIEN_FLEMING}
OF_TOTALS, OF_LONG_TOTALS, LOOKS, FEW_EVENTS = 1600, 6000, 20, 0.05


def falling(runs: int) -> list[Row]:
    """False promotions and halts of a candidate exactly at its margin."""
    runs = min(runs, MOST_RUNS)
    rows = [_of_new_users(name, number, runs) for number, name in enumerate(WORLDS)]
    for number, (name, spending) in enumerate(SPENDINGS.items()):
        plan, rng = _plan(MetricType.MEAN, spending), np.random.default_rng([83, number])
        rows.append(_promoted(f"totals that grow, {name}", roll_out(plan, growing(rng, runs, OF_TOTALS)), runs))
        few = max(runs // 2, 1)
        found = roll_out(plan, growing(rng, few, OF_LONG_TOTALS), others_learn=True)
        when = f"totals that grow, looks go on when all is known, {name}"
        rows += [
            _promoted(when, found, few),
            chance_at_most(f"false halts at the margin, {when}", 0.01, int((found.end == End.HALTED).sum()), few),
        ]
    return rows


def growing(rng: np.random.Generator, runs: int, users: int) -> list[Arms]:
    """Users who are all there from the start, and whose totals grow, so that they differ ever more."""
    totals = [np.zeros((runs, users)) for _ in range(2)]
    ticks = []
    for _ in range(LOOKS):
        for arm, factor in enumerate((1.0 + MARGIN, 1.0)):
            totals[arm] += rng.gamma(FEW_EVENTS, factor / FEW_EVENTS, (runs, users))
        ticks.append((_mean(totals[0]), _mean(totals[1])))
    return ticks


def _mean(y: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> SumsColumns:
    units = np.full(y.shape[0], float(y.shape[1]))
    total = y.sum(axis=1)
    return SumsColumns(units, total, units, (y * y).sum(axis=1), units, total)


def _of_new_users(name: str, number: int, runs: int) -> Row:
    world, kind = WORLDS[name]
    users = np.linspace(USERS[world] / TICKS, USERS[world], TICKS).astype(np.int64)
    ticks = arrivals(world(np.random.default_rng([82, number]), runs, 1.0 + MARGIN), users, runs)
    return _promoted(f"{name}, Pocock", roll_out(_plan(kind, POCOCK), ticks), runs)


def _plan(kind: MetricType, spending: Spending) -> JudgePlan:
    metric = MetricPlan("latency", kind, Direction.DECREASE, Role.GUARDRAIL, margin=MARGIN)
    return JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5}, spending=spending)


def _promoted(name: str, found: Rollouts, runs: int) -> Row:
    promoted = int((found.end == End.PROMOTED).sum())
    return chance_at_most(f"false promotions at the margin, {name}", 0.05, promoted, runs)
