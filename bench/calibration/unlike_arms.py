"""Arms of unlike sizes, a candidate exactly at its margin: false promotions, by share of users and kind of margin."""

from dataclasses import dataclass

import numpy as np

from bench.calibration.guarded import Arms, End, roll_out
from bench.calibration.rows import Row, chance_at_most
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role

MOST_RUNS, TICKS = 1000, 60


@dataclass(frozen=True)
class World:
    """What the control fails of, what is accepted beside it, and users a tick."""

    rate: float
    margin: float
    kind: MarginKind
    candidate: int
    control: int

    @property
    def harmed(self) -> float:
        """The rate at the margin."""
        return self.rate * (1.0 + self.margin) if self.kind is MarginKind.RELATIVE else self.rate + self.margin

    @property
    def name(self) -> str:
        """In words."""
        accepted = "twice as many" if self.kind is MarginKind.RELATIVE else f"{self.margin * 100:g} points more"
        return f"{self.candidate}:{self.control} users, {self.rate:.0%} fail, {accepted} accepted"


SIZES = ((30, 570), (30, 270), (570, 30), (50, 50))
WORLDS = tuple(
    World(*share, *size)
    for size in SIZES
    for share in ((0.05, 0.02, MarginKind.ABSOLUTE), (0.01, 1.0, MarginKind.RELATIVE))
)


def unlike_arms(runs: int) -> list[Row]:
    """Users who fail; at up to 20 looks."""
    runs = min(runs, MOST_RUNS)
    rows = []
    for number, world in enumerate(WORLDS):
        found = roll_out(_plan(world), _ticks(np.random.default_rng([95, number]), world, runs))
        promoted = int((found.end == End.PROMOTED).sum())
        rows.append(chance_at_most(f"promoted at the margin, {world.name}", 0.05, promoted, runs))
    return rows


def _plan(world: World) -> JudgePlan:
    metric = MetricPlan(
        "failed", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, world.margin, margin_kind=world.kind
    )
    share = world.candidate / (world.candidate + world.control)
    return JudgePlan((metric,), "control", {"control": 1.0 - share, "new": share})


def _ticks(rng: np.random.Generator, world: World, runs: int) -> list[Arms]:
    arms = ((world.candidate, world.harmed), (world.control, world.rate))
    failed = [rng.binomial(users, rate, (TICKS, runs)).cumsum(axis=0) for users, rate in arms]
    moments = range(1, TICKS + 1)
    return [(_sums(failed[0][n - 1], n * world.candidate), _sums(failed[1][n - 1], n * world.control)) for n in moments]


def _sums(failed: np.ndarray[tuple[int, ...], np.dtype[np.int64]], users: int) -> SumsColumns:
    y, n = failed.astype(np.float64), np.full(failed.shape, float(users))
    return SumsColumns(n, y, n, y, n, y)
