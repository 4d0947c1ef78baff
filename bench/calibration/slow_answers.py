"""Harm that is rare and large: one answer in fifty that takes 200 or 20,000 times as long, beside one that fails."""

import numpy as np

from bench.calibration.brakes import GUARDRAILS, NOW, error_of_median
from bench.calibration.rows import Row, chance_at_most, number_at_most
from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MetricPlan, MetricType, Role
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.harm import anytime_alpha, log_harm

USERS, STEP = 6_000, 50
MOST_RUNS = 200
SHARE, SIGMA = 0.02, 1.0
TIMES = (200.0, 20_000.0)
LATENCY = MetricPlan("latency", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.25, minimum_effect=0.25)
LONGER = 1.25
"""A slow answer may take so many more users to be halted than one that fails: each is one event, however long."""


def slow_answers(runs: int) -> list[Row]:
    """Candidate users until a halt, by the default guardrails on latency and errors; and equal arms with such answers.

    Users have log-normal numbers of requests, some with a hundred; answers take log-normal times. The mean of all
    five guardrails' evidence has to reach the level.
    """
    runs = min(runs, MOST_RUNS)
    failing = np.array([_users_until_halt([90, run], NOW, 1.0) for run in range(runs)])
    until = float(np.median(failing))
    text = "candidate users until a halt, one answer in fifty"
    rows = [Row(f"{text} fails: median", "none set", f"{until:,.0f}", runs, error_of_median(failing), holds=True)]
    for number, times in enumerate(TIMES):
        users = np.array([_users_until_halt([91 + number, run], LATENCY, times) for run in range(runs)])
        name = f"{text} takes {times:,.0f} times as long: median"
        error = error_of_median(users)
        rows.append(number_at_most(name, until * LONGER, float(np.median(users)), runs=runs, error=error))
    halted = sum(_users_until_halt([95, run], LATENCY, TIMES[-1], both=True) < USERS for run in range(runs))
    rows.append(chance_at_most("false halts, such answers in both variants", 0.01, halted, runs))
    return rows


def _users_until_halt(seed: list[int], metric: MetricPlan, times: float, *, both: bool = False) -> float:
    rng = np.random.default_rng(seed)
    steps = np.arange(100, USERS + 1, STEP)
    share = SHARE if both else 0.0
    control, new = (_growing(rng, steps, metric, times, each) for each in (share, SHARE))
    plan = JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5})
    with np.errstate(all="ignore"):
        log_e = log_harm(plan, arrange([metric] * steps.size, ["new"] * steps.size, new, control))
    reached = np.flatnonzero(log_e >= np.log(GUARDRAILS / anytime_alpha(plan)))
    return float(steps[reached[0]]) if reached.size else float(USERS)


def _growing(
    rng: np.random.Generator,
    steps: np.ndarray[tuple[int], np.dtype[np.intp]],
    metric: MetricPlan,
    times: float,
    share: float,
) -> SumsColumns:
    """Sums over the first users: of failures, or of how long answers took, of which this share is bad."""
    d = np.ceil(rng.lognormal(0.0, SIGMA, USERS))
    user = np.repeat(np.arange(USERS), d.astype(np.intp))
    bad = rng.random(user.size) < share
    usual: Floats = rng.lognormal(-(SIGMA**2) / 2.0, SIGMA, user.size)
    values = bad * 1.0 if metric is NOW else np.where(bad, times * rng.uniform(0.6, 1.4, user.size), usual)
    y = np.bincount(user, values, USERS)
    columns = (np.ones_like(y), y, d, y * y, d * d, y * d)
    return SumsColumns(*(np.asarray(each.cumsum()[steps - 1], dtype=np.float64) for each in columns))
