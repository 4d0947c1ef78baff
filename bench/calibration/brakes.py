"""What the form's own guardrails let pass: candidate users until errors that doubled are halted."""

import math

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values
from bench.calibration.rows import Row, number_at_most
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.harm import anytime_alpha, log_harm

USERS = 40_000
MOST_RUNS = 100
RATE = 0.01
GUARDRAILS = 5
FLOOR = 3600.0
"""Wald's: 2 log(1 / level) V / excess² users, with a level of 0.5 % over 5 guardrails, an excess over the margin of
half a point, and V = (0.01 + 0.02) / 5 for 5 requests a user, 1.08 times as much for users who differ."""
BEFORE, NOW = (
    MetricPlan(
        "error-rate", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin, MarginKind.ABSOLUTE, 0.5, True
    )
    for margin in (0.01, 0.005)
)
"""Errors per request with a margin of a whole point, and of half a point as the form of a new experiment has it."""


def doubled_errors_of_requests(runs: int) -> list[Row]:
    """1 % of requests fail, 5 of each user, and twice as many with the candidate: median users of it until a halt.

    The form has five guardrails with those of every plan, of which one is harmed, and the evidence of all is averaged.
    """
    runs, rows = min(runs, MOST_RUNS), []
    for metric in (BEFORE, NOW):
        rng = np.random.default_rng(67)
        users = np.array([_users_until_halt(rng, metric) for _ in range(runs)])
        median, error = float(np.median(users)), error_of_median(users)
        name = (
            f"candidate users until a halt, errors of 1 % of requests doubled, margin of {100 * metric.margin:g} points"
        )
        if metric is NOW:
            rows.append(number_at_most(name, FLOOR * 1.5, median, runs=runs, error=error))
        else:
            told = f"none of {USERS:,} halts" if median >= USERS else f"{median:,.0f}"
            rows.append(Row(name, "none set", told, runs, error, holds=True))
    return rows


def error_of_median(values: Values) -> float:
    """Monte-Carlo error of the median of runs, from their quartiles."""
    return 1.57 * float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / math.sqrt(values.size) / 1.35


def _users_until_halt(rng: np.random.Generator, metric: MetricPlan) -> float:
    steps = np.unique(np.geomspace(100, USERS, 60).astype(np.intp))
    control, new = _growing(rng, steps, 1.0), _growing(rng, steps, 2.0)
    plan = JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5})
    with np.errstate(all="ignore"):
        log_e = log_harm(plan, arrange([metric] * steps.size, ["new"] * steps.size, new, control))
    reached = np.flatnonzero(log_e >= math.log(GUARDRAILS / anytime_alpha(plan)))
    return float(steps[reached[0]]) if reached.size else float(USERS)


def _growing(rng: np.random.Generator, steps: NDArray[np.intp], factor: float) -> SumsColumns:
    """Sums over the first users, whose requests fail with a rate of their own, twice as often where the factor is 2."""
    d = rng.geometric(0.2, USERS).astype(np.float64)
    rates = np.minimum(rng.beta(1.0, 1.0 / RATE - 1.0, USERS) * factor, 1.0)
    y = rng.binomial(d.astype(np.int64), rates).astype(np.float64)
    columns = (np.ones_like(y), y, d, y * y, d * d, y * d)
    return SumsColumns(*(np.asarray(each.cumsum()[steps - 1], dtype=np.float64) for each in columns))
