"""The judge answers at every look, though information falls: variance that jumps, heavy users, spread that grows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.calibration.guarded import End, Rollouts, arrivals, roll_out
from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_least, chance_at_most, standard_error
from experiments.stats.core.types import Direction, JudgePlan, MetricPlan, MetricType, Role

Draw = Callable[[NDArray[np.int64], bool], tuple[Values, Values]]
World = Callable[[np.random.Generator, int, float], Draw]

MARGIN = 0.1
TICKS = 40
LOOKS = 20


def jumping(rng: np.random.Generator, runs: int, factor: float) -> Draw:
    """Latencies with a spread of a fifth, but for three users in a thousand, who are 60 times slower."""

    def draw(places: NDArray[np.int64], treated: bool) -> tuple[Values, Values]:
        shape = (runs, places.size)
        values = rng.normal(100.0, 20.0, shape) * np.where(rng.random(shape) < 0.003, 60.0, 1.0)
        return values * (factor if treated else 1.0), np.ones(shape)

    return draw


def heavy(rng: np.random.Generator, runs: int, factor: float) -> Draw:
    """Users with 1 to 200 requests (zipf), each fast or slow in all of them."""

    def draw(places: NDArray[np.int64], treated: bool) -> tuple[Values, Values]:
        shape = (runs, places.size)
        counts = np.minimum(rng.zipf(1.8, shape), 200).astype(np.float64)
        speed = rng.lognormal(-0.125, 0.5, shape) * (factor if treated else 1.0)
        return speed * rng.gamma(counts), counts

    return draw


def spreading(rng: np.random.Generator, runs: int, factor: float) -> Draw:
    """Latencies whose spread is three times as large from the middle of the rollout on: information falls by half."""

    def draw(places: NDArray[np.int64], treated: bool) -> tuple[Values, Values]:
        shape = (runs, places.size)
        spread = np.where(places < USERS[spreading] // 2, 40.0, 120.0)
        values = 100.0 + rng.gamma(4.0, 0.5, shape) * spread - 2.0 * spread
        return values * (factor if treated else 1.0), np.ones(shape)

    return draw


WORLDS: dict[str, tuple[World, MetricType]] = {
    "variance that jumps": (jumping, MetricType.MEAN),
    "users with 1 to 200 requests": (heavy, MetricType.RATIO),
    "spread that triples": (spreading, MetricType.MEAN),
}
USERS: dict[World, int] = {jumping: 16_000, heavy: 3000, spreading: 320}
"""Of each arm, so that about all of the planned information is there at the end."""


def always(runs: int) -> list[Row]:
    """Answers, false promotions with the harm exactly at the margin, false halts there, and power without harm."""
    rows, runs = [], max(runs // 2, 1)
    for number, (name, (world, kind)) in enumerate(WORLDS.items()):
        at_margin, equal = (
            _rollouts(world, kind, np.random.default_rng([51, number, place]), runs, factor)
            for place, factor in enumerate((1.0 + MARGIN, 1.0))
        )
        rows += _rows(name, at_margin, equal, runs)
    return rows


def _rows(name: str, at_margin: Rollouts, equal: Rollouts, runs: int) -> list[Row]:
    answered = runs - int((at_margin.unanswered | equal.unanswered).sum())
    promoted = float((equal.end == End.PROMOTED).mean())
    stopped = float(((equal.end == End.PROMOTED) & ~equal.fell).mean())
    power = f"{promoted:.3f}; {stopped:.3f} if it stopped once information falls, as in {equal.fell.mean():.0%} of runs"
    return [
        chance_at_least(f"rollouts that are answered at every look, {name}", 1.0, answered, runs),
        chance_at_most(f"false promotions at the margin, {name}", 0.05, _count(at_margin, End.PROMOTED), runs),
        chance_at_most(f"false halts at the margin, {name}", 0.01, _count(at_margin, End.HALTED), runs),
        chance_at_most(f"false halts without harm, {name}", 0.01, _count(equal, End.HALTED), runs),
        Row(f"power without harm, {name}", "none set", power, runs, standard_error(promoted, runs), holds=True),
    ]


def _count(found: Rollouts, end: End) -> int:
    return int((found.end == end).sum())


def _rollouts(world: World, kind: MetricType, rng: np.random.Generator, runs: int, factor: float) -> Rollouts:
    metric = MetricPlan("latency", kind, Direction.DECREASE, Role.GUARDRAIL, margin=MARGIN)
    plan = JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5}, looks=LOOKS)
    users = np.linspace(USERS[world] / TICKS, USERS[world], TICKS).astype(np.int64)
    return roll_out(plan, arrivals(world(rng, runs, factor), users, runs))
