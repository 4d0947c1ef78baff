"""Answers that are rare and hugely slow: how soon they halt beside failures, and that equal arms do not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_most, number_at_most
from experiments.plan.slow_answers import LATENCY, tails_of
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    Role,
    UnitSums,
)
from experiments.stats.judging.judge import watch

Draw = Callable[[np.random.Generator, int, bool], Values]
"""Durations in milliseconds of so many answers, of the candidate or the control."""

TICKS = 24
SHARE = 0.02
MOST_RUNS = 400
TIMES = (10.0, 30.0, 100.0, 300.0)

ERRORS = MetricPlan(
    "error-rate",
    MetricType.RATIO,
    Direction.DECREASE,
    Role.GUARDRAIL,
    margin=0.005,
    margin_kind=MarginKind.ABSOLUTE,
    minimum_effect=0.5,
    counts_events=True,
)
MEAN = MetricPlan(LATENCY, MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.25, minimum_effect=0.25)
"""As every plan has them."""
TAILS = tails_of(MEAN)
PLAN = JudgePlan(
    (ERRORS, MEAN),
    "control",
    {"control": 0.5, "new": 0.5},
    tails={LATENCY: tuple(tail.plan for tail in TAILS)},
)


def rare_slow_answers(runs: int) -> list[Row]:
    """Median users of the candidate until a halt, and chances of a false one, with users of 1 to 200 requests."""
    runs = min(runs, MOST_RUNS)
    failing = _median(runs, _usual, failures=SHARE)
    rows = [Row("users until a halt, 2 % of answers fail", "none set", f"{failing:,.0f}", runs, 0.0, holds=True)]
    slow = {times: _median(runs, _slow(times)) for times in TIMES}
    for times, users in slow.items():
        name = f"users until a halt, 2 % of answers take {times:g} times as long, over those with failures"
        rows.append(number_at_most(name, 1.3, users / failing, runs=runs))
    growth = max(after / before for before, after in zip(list(slow.values()), list(slow.values())[1:], strict=False))
    rows.append(number_at_most("the same, each size over the one before", 1.1, growth, runs=runs))
    for name, draw in EQUAL.items():
        halted = int(np.isfinite(_users_until_halt(runs, draw)).sum())
        rows.append(chance_at_most(f"false halts, equal arms, {name}", 0.01, halted, runs))
    return rows


def _median(runs: int, draw: Draw, *, failures: float = 0.0) -> float:
    return float(np.median(_users_until_halt(runs, draw, failures=failures)))


def _users_until_halt(runs: int, draw: Draw, *, failures: float = 0.0, most: int = 4000) -> Values:
    """Of each run, users of the candidate until the halt; infinite where there is none."""
    rng = np.random.default_rng(97)
    users = np.unique(np.geomspace(100, most, TICKS).astype(np.intp))
    return np.array([_first(rng, draw, failures, users) for _ in range(runs)])


def _first(rng: np.random.Generator, draw: Draw, failures: float, users: NDArray[np.intp]) -> float:
    control = _sums(rng, draw, 0.0, users, treated=False)
    candidate = _sums(rng, draw, failures, users, treated=True)
    for place, count in enumerate(users.tolist()):
        sums = {(key, "control"): each[place] for key, each in control.items()}
        sums |= {(key, "new"): each[place] for key, each in candidate.items()}
        if watch(PLAN, Evidence({"control": count, "new": count}, sums)).reached:
            return float(count)
    return float("inf")


def _sums(
    rng: np.random.Generator, draw: Draw, failures: float, users: NDArray[np.intp], *, treated: bool
) -> dict[str, list[UnitSums]]:
    """By metric, the sums of the first so many users."""
    most = int(users[-1])
    requests = np.minimum(rng.zipf(2.0, most), 200)
    owner = np.repeat(np.arange(most), requests)
    durations = draw(rng, owner.size, treated)
    failed = rng.random(owner.size) < failures
    values = {ERRORS.key: failed, MEAN.key: durations}
    values |= {each.key: durations > (each.threshold if treated else each.of_control) for each in TAILS}
    found = {}
    for key, each in values.items():
        y, d = np.bincount(owner, weights=each, minlength=most), requests.astype(np.float64)
        columns = [column.cumsum()[users - 1] for column in (y, d, y * y, d * d, y * d)]
        found[key] = [UnitSums(int(n), *map(float, row)) for n, *row in zip(users, *columns, strict=True)]
    return found


def _usual(rng: np.random.Generator, count: int, treated: bool) -> Values:
    return rng.lognormal(np.log(1000.0) - 0.125, 0.5, count)


def _slow(times: float) -> Draw:
    def draw(rng: np.random.Generator, count: int, treated: bool) -> Values:
        usual = _usual(rng, count, treated)
        return np.where(rng.random(count) < SHARE, times * 1000.0, usual) if treated else usual

    return draw


def _lognormal(sigma: float) -> Draw:
    return lambda rng, count, _: rng.lognormal(np.log(1000.0), sigma, count)


def _long_streams(rng: np.random.Generator, count: int, treated: bool) -> Values:
    """A fifth of all answers takes 30 to 120 seconds."""
    long = rng.random(count) < 0.2
    return np.where(long, rng.uniform(30_000.0, 120_000.0, count), _usual(rng, count, treated))


EQUAL: dict[str, Draw] = {
    "log-normal durations, sigma 1": _lognormal(1.0),
    "log-normal durations, sigma 1.5": _lognormal(1.5),
    "durations with a tail of power 1.5": lambda rng, count, _: 300.0 * (1.0 + rng.pareto(1.5, count)),
    "a fifth takes 30 to 120 s": _long_streams,
}
