"""What a stage's own evidence halts, before the stage is left."""

import math

import numpy as np

from bench.calibration.rows import Row, chance_at_least
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.harm import anytime_alpha, log_harm
from experiments.stats.judging.later import PART_OF_STAGES

RATE, GUARDRAILS = 0.01, 6
METRIC = MetricPlan(
    "failed users",
    MetricType.PROPORTION,
    Direction.DECREASE,
    Role.GUARDRAIL,
    margin=0.01,
    margin_kind=MarginKind.ABSOLUTE,
)
PLAN = JudgePlan((METRIC,), "control", {"control": 0.5, "new": 0.5})
ONE_OF = {100: 2, 250: 5, 1000: 12}
"""By users of each variant: the candidate fails one of so many."""


def stage_power(runs: int) -> list[Row]:
    """1 % of the control's users fail, a point more is accepted, and five guardrails beside this one see no harm."""
    return [
        chance_at_least(
            f"halts by the evidence of a stage with {users:,} users a variant, one of {one_of} fails",
            0.9,
            _halts(np.random.default_rng([85, users]), users, 1.0 / one_of, runs),
            runs,
        )
        for users, one_of in ONE_OF.items()
    ]


def _halts(rng: np.random.Generator, users: int, rate: float, runs: int) -> int:
    new, control = (_sums(users, rng.binomial(users, share, runs)) for share in (rate, RATE))
    with np.errstate(all="ignore"):
        log_e = log_harm(PLAN, arrange([METRIC] * runs, ["new"] * runs, new, control))
    return int((log_e >= math.log(GUARDRAILS / (PART_OF_STAGES * anytime_alpha(PLAN)))).sum())


def _sums(users: int, failed: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> SumsColumns:
    units, y = np.full(failed.size, float(users)), failed.astype(np.float64)
    return SumsColumns(units, y, units, y, units, y)
