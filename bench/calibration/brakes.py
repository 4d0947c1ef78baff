"""What the form's own guardrails let pass: candidate users until errors that doubled are halted."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values
from bench.calibration.rows import Row, number_at_most
from experiments.stats.cells import arrange
from experiments.stats.columns import SumsColumns
from experiments.stats.harm import log_harm
from experiments.stats.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role

USERS = 40_000
MOST_RUNS = 100
RATE = 0.01
OF_REQUESTS = MetricPlan(
    "error-rate", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.01, MarginKind.ABSOLUTE, 0.5, True
)
OF_USERS = MetricPlan(
    "failed-users", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, 0.3, minimum_effect=0.5
)
"""As the form of a new experiment has them."""


def doubled_errors_of_requests(runs: int) -> list[Row]:
    """1 % of requests fail, 5 of each user, and twice as many with the candidate: median users of it until a halt."""
    runs, rows = min(runs, MOST_RUNS), []
    for name, metrics in {"errors per request alone": (OF_REQUESTS,), "the form's": (OF_REQUESTS, OF_USERS)}.items():
        rng = np.random.default_rng(67)
        users = np.array([_users_until_halt(rng, metrics) for _ in range(runs)])
        median, error = float(np.median(users)), _error_of_median(users)
        text = f"candidate users until a halt, errors of 1 % of requests doubled, guardrails: {name}"
        if len(metrics) == 1:
            told = "none" if median >= USERS else f"{median:,.0f}"
            rows.append(Row(text, "none set", told, runs, error, holds=True))
        else:
            rows.append(number_at_most(text, 5000.0, median, runs=runs, error=error))
    return rows


def _error_of_median(values: Values) -> float:
    """From the quartiles of the runs."""
    return 1.57 * float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / math.sqrt(values.size) / 1.35


def _users_until_halt(rng: np.random.Generator, metrics: Sequence[MetricPlan]) -> float:
    steps = np.unique(np.geomspace(100, USERS, 60).astype(np.intp))
    control, new = _growing(rng, steps, 1.0), _growing(rng, steps, 2.0)
    plan = JudgePlan(tuple(metrics), "control", {"control": 0.5, "new": 0.5})
    names = [metric for metric in metrics for _ in steps]
    columns = [SumsColumns.joined([arm[metric.key] for metric in metrics]) for arm in (new, control)]
    with np.errstate(all="ignore"):
        log_e = log_harm(plan, arrange(names, ["new"] * len(names), *columns)).reshape(len(metrics), steps.size)
    mean = np.exp(np.nan_to_num(log_e, nan=-np.inf)).mean(axis=0)
    reached = np.flatnonzero(mean >= 1.0 / plan.halt_alpha)
    return float(steps[reached[0]]) if reached.size else float(USERS)


def _growing(rng: np.random.Generator, steps: NDArray[np.intp], factor: float) -> Mapping[str, SumsColumns]:
    """Sums over the first users, whose requests fail with a rate of their own, twice as often where the factor is 2."""
    counts = rng.geometric(0.2, USERS).astype(np.float64)
    rates = np.minimum(rng.beta(1.0, 1.0 / RATE - 1.0, USERS) * factor, 1.0)
    errors = rng.binomial(counts.astype(np.int64), rates).astype(np.float64)
    return {
        OF_REQUESTS.key: _cumulative(errors, counts, steps),
        OF_USERS.key: _cumulative((errors > 0.0).astype(np.float64), np.ones(USERS), steps),
    }


def _cumulative(y: Values, d: Values, steps: NDArray[np.intp]) -> SumsColumns:
    columns = (np.ones_like(y), y, d, y * y, d * d, y * d)
    return SumsColumns(*(np.asarray(each.cumsum()[steps - 1], dtype=np.float64) for each in columns))
