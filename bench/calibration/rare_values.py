"""A mean without a cap where one value in 2,000 is 1,000 times larger: what is kept, and what cannot be seen."""

import numpy as np
from numpy.typing import NDArray

from bench.calibration.guarded import End, Rollouts, arrivals, roll_out
from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_most, standard_error
from experiments.stats.core.types import Direction, JudgePlan, MetricPlan, MetricType, Role

USERS, TICKS = 16_000, 40
SHARE, TIMES, MARGIN = 0.0005, 1000.0, 0.1
MOST_RUNS = 500
HARMS = {"half as many in the control, 2 margins": SHARE / 2.0, "none in the control, 5 margins": 0.0}
"""How many of the control's values are so large. With half as many its mean is 1.25, and the candidate's 1.5."""

METRIC = MetricPlan("cost", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=MARGIN)
PLAN = JudgePlan((METRIC,), "control", {"control": 0.5, "new": 0.5})


def rare_values(runs: int) -> list[Row]:
    """Equal arms, a candidate at its margin in all values, and harm in the rare ones alone."""
    runs = min(runs, MOST_RUNS)
    equal, at_margin = (_rollouts(number, runs, factor=factor) for number, factor in enumerate((1.0, 1.0 + MARGIN)))
    rows = [
        chance_at_most("false halts, one value in 2,000 is 1,000 times larger", 0.01, _count(equal, End.HALTED), runs),
        chance_at_most("false promotions at the margin in all values", 0.05, _count(at_margin, End.PROMOTED), runs),
    ]
    for number, (name, control) in enumerate(HARMS.items()):
        found = _rollouts(2 + number, runs, control=control)
        promoted, stopped = found.share(End.PROMOTED), found.share(End.HALTED, End.SAID)
        text = f"{promoted:.2f} promoted, {stopped:.2f} halted or said"
        error = standard_error(promoted, runs)
        rows.append(Row(f"harm in such values alone, {name}", "none set", text, runs, error, holds=True))
    return rows


def _count(found: Rollouts, end: End) -> int:
    return int((found.end == end).sum())


def _rollouts(seed: int, runs: int, *, factor: float = 1.0, control: float = SHARE) -> Rollouts:
    rng = np.random.default_rng([84, seed])

    def draw(places: NDArray[np.int64], treated: bool) -> tuple[Values, Values]:
        shape = (runs, places.size)
        rare = rng.random(shape) < (SHARE if treated else control)
        values = rng.lognormal(-0.125, 0.5, shape) * np.where(rare, TIMES, 1.0)
        return values * (factor if treated else 1.0), np.ones(shape)

    return roll_out(PLAN, arrivals(draw, np.linspace(USERS / TICKS, USERS, TICKS).astype(np.int64), runs))
