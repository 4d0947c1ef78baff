"""Users who fail with all of their requests, and of whom the heavy ones alone may: few of them are met, or none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.calibration.guarded import Arms, End, Rollouts, roll_out
from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_least, chance_at_most
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role
from experiments.stats.metrics.heavy import heavy_totals

MOST_RUNS, TICKS = 400, 24
MARGIN = 0.005
ERROR_RATE = 0.002
HEAVIEST = 0.01
"""Part of users that are the heavy ones, by what they send."""

METRIC = MetricPlan(
    "errors",
    MetricType.RATIO,
    Direction.DECREASE,
    Role.GUARDRAIL,
    margin=MARGIN,
    margin_kind=MarginKind.ABSOLUTE,
    counts_events=True,
)
PLAN = JudgePlan((METRIC,), "control", {"control": 0.5, "new": 0.5})


@dataclass(frozen=True)
class World:
    """How many requests users send, how many users of each variant there are, and from what on one of them is heavy."""

    draw: Callable[[np.random.Generator, tuple[int, int]], Values]
    users: int
    heavy: float


def _forty(rng: np.random.Generator, shape: tuple[int, int]) -> Values:
    return np.where(rng.random(shape) < HEAVIEST, 40.0, rng.integers(1, 8, shape).astype(np.float64))


def _lognormal(rng: np.random.Generator, shape: tuple[int, int]) -> Values:
    return np.asarray(np.ceil(rng.lognormal(0.0, 1.0, shape)), dtype=np.float64)


def _zipf(rng: np.random.Generator, shape: tuple[int, int]) -> Values:
    return np.minimum(rng.zipf(1.8, shape), 200).astype(np.float64)


WORLDS: Mapping[str, World] = {
    "1 % send 40 requests, others 1 to 7": World(_forty, 12_000, 40.0),
    "log-normal requests, sigma 1": World(_lognormal, 12_000, 10.0),
    "zipf requests, 1 to 200": World(_zipf, 24_000, 100.0),
}


def failing_heavy_users(runs: int) -> list[Row]:
    """A candidate exactly at its margin of half a point, and one that is as good as the control."""
    runs = min(runs, MOST_RUNS)
    rows = []
    for number, (name, world) in enumerate(WORLDS.items()):
        for place, least in enumerate((world.heavy, 1.0)):
            who = "heavy users fail wholly" if place == 0 else "users fail wholly, heavy or not"
            found = _rolled_out(np.random.default_rng([91, number, place]), world, runs, MARGIN, least)
            rows.append(chance_at_most(f"promoted at the margin, {who}, {name}", 0.05, _promoted(found), runs))
        found = _rolled_out(np.random.default_rng([91, number, 2]), world, runs, 0.0, 1.0)
        text = f"promoted by {world.users:,} users of each variant if nothing differs, {name}"
        rows.append(chance_at_least(text, 0.8, _promoted(found), runs))
    return rows


def _promoted(found: Rollouts) -> int:
    return int((found.end == End.PROMOTED).sum())


def _rolled_out(rng: np.random.Generator, world: World, runs: int, harm: float, least: float) -> Rollouts:
    """Rollouts in which users with at least so many requests fail wholly, so that so many more of all requests do."""
    sent = [world.draw(rng, (runs, world.users)) for _ in range(2)]
    failed = [rng.binomial(each.astype(np.int64), ERROR_RATE).astype(np.float64) for each in sent]
    may_fail = sent[0] >= least
    chance = harm * sent[0].mean() / (sent[0] * may_fail).mean()
    failed[0] = np.where(may_fail & (rng.random(sent[0].shape) < chance), sent[0], failed[0])
    moments = np.unique(np.geomspace(100, world.users, TICKS).astype(np.int64)).tolist()
    ticks = [_arms(failed, sent, users) for users in moments]
    heavy = [np.maximum(*(heavy_totals(each[:, :users]) for each in sent)) for users in moments]
    return roll_out(PLAN, ticks, heavy=heavy)


def _arms(failed: list[Values], sent: list[Values], users: int) -> Arms:
    candidate, control = (_sums(y[:, :users], d[:, :users]) for y, d in zip(failed, sent, strict=True))
    return candidate, control


def _sums(y: Values, d: Values) -> SumsColumns:
    units = np.full(y.shape[0], float(y.shape[1]))
    return SumsColumns(units, *(each.sum(axis=1) for each in (y, d, y * y, d * d, y * d)))
