"""How soon harm is halted, and how rarely anything else is, on a ramp of production's kind."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values, arm, drifting
from bench.calibration.rows import Row, chance_at_most, number_at_most
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.harm import log_harm
from experiments.stats.sequential import events

THRESHOLD = math.log(100.0)
RAMP = (0.01, 0.05, 0.25, 0.50)
TICKS_A_STAGE = 14
GUARDED = {
    "failed users": MetricType.PROPORTION,
    "errors": MetricType.RATIO,
    "latency": MetricType.RATIO,
    "slow": MetricType.RATIO,
}


def doubled_errors(runs: int) -> list[Row]:
    """The candidate fails twice or ten times as often as 1 % of the control's users: candidate users until the halt."""
    rows = []
    for share, factor, limits in ((0.5, 2.0, (3500.0, None)), (0.05, 2.0, (1700.0, None)), (0.5, 10.0, (150.0, 240.0))):
        users = _users_until_halt(np.random.default_rng([46, round(share * 100), round(factor)]), runs, share, factor)
        name = f"candidate users until a halt, errors {factor:g} x 1 %, share {share:.0%}"
        median, late = float(np.median(users)), float(np.quantile(users, 0.9))
        # The error of a median of so many values, from the quartiles of the runs.
        error = 1.57 * float(np.subtract(*np.quantile(users, [0.75, 0.25]))) / math.sqrt(runs) / 1.35
        rows.append(number_at_most(f"{name}: median", limits[0], median, runs=runs, error=error))
        if limits[1]:
            rows.append(number_at_most(f"{name}: 9 of 10", limits[1], late, runs=runs, error=2 * error))
        if share == 0.5 and factor == 2.0:
            floor = _wald_floor(0.01, 0.02)
            rows.append(
                number_at_most("the same over Wald's floor", 1.3, median / floor, runs=runs, error=error / floor)
            )
    return rows


def _users_until_halt(rng: np.random.Generator, runs: int, share: float, factor: float) -> Values:
    """Events one by one: which arm each came from, and after how many candidate users."""
    most = 2000
    from_candidate = share * factor / (share * factor + 1.0 - share)
    t = (rng.random((runs, most)) < from_candidate).cumsum(axis=1)
    number = np.arange(1, most + 1)
    log_e = _constant_share(t, number - t, share)
    first = np.argmax(log_e >= THRESHOLD, axis=1)
    # Users between events: all arms' users until the event times the candidate's share.
    rate = 0.01 * (share * factor + 1.0 - share)
    users = rng.gamma(first + 1.0, 1.0 / rate) * share
    return np.asarray(users, dtype=np.float64)


def _constant_share(t: NDArray[np.int64], c: NDArray[np.int64], share: float) -> Values:
    """The exact evidence at a constant share depends on the counts alone."""
    return events.ratio_log_e(t[..., None], c[..., None], np.full((*t.shape, 1), share))[..., -1]


def _wald_floor(p_c: float, p_t: float) -> float:
    """Candidate users that no test of this alpha can halt with on average: log(1/alpha) over the information a user."""
    share = p_t / (p_t + p_c)
    information = share * math.log(share / 0.5) + (1.0 - share) * math.log((1.0 - share) / 0.5)
    return THRESHOLD / information / (p_t + p_c)


def slow_candidate(runs: int) -> list[Row]:
    """Latency 20 % higher, 5 requests a user, guarded by the share above the control's 90 % quantile: users of both."""
    rows = []
    for share, limit in ((0.5, 600.0), (0.05, 2400.0)):
        rng = np.random.default_rng([47, round(share * 100)])
        totals = [_users_until_slow_halt(rng, share) for _ in range(runs)]
        median = float(np.median(totals))
        error = 1.57 * float(np.subtract(*np.quantile(totals, [0.75, 0.25]))) / math.sqrt(runs) / 1.35
        name = f"users of both arms until a halt, P90 latency +20 %, share {share:.0%}: median"
        rows.append(number_at_most(name, limit, median, runs=runs, error=error))
    return rows


def _users_until_slow_halt(rng: np.random.Generator, share: float, *, most: int = 8000) -> float:
    plan = _plan(MetricPlan("slow", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, minimum_effect=0.5), share)
    threshold = math.exp(1.2815515655446004 * math.sqrt(0.09 + 0.16))
    steps = np.unique(np.geomspace(100, most, 60).astype(np.intp))
    columns = []
    for part, factor in ((1.0 - share, 1.0), (share, 1.2)):
        users = round(most * part)
        counts = rng.poisson(4.0, users) + 1
        owner = np.repeat(np.arange(users), counts)
        latency = np.exp(rng.normal(0.0, 0.3, users)[owner] + rng.normal(0.0, 0.4, owner.size)) * factor
        slow = np.bincount(owner, weights=latency > threshold, minlength=users)
        columns.append(
            _cumulative(
                slow.astype(np.float64), counts.astype(np.float64), np.maximum((steps * part).astype(np.intp), 1)
            )
        )
    with np.errstate(all="ignore"):
        cells = arrange(list(plan.metrics) * steps.size, ["new"] * steps.size, columns[1], columns[0])
        log_e = log_harm(plan, cells)
    reached = np.flatnonzero(log_e >= THRESHOLD)
    return float(steps[reached[0]]) if reached.size else float(most)


def _plan(metric: MetricPlan, share: float) -> JudgePlan:
    return JudgePlan((metric,), "control", {"control": 1.0 - share, "new": share}, minimum_units=20)


def _cumulative(y: Values, d: Values, users: NDArray[np.intp]) -> SumsColumns:
    columns = (np.ones_like(y), y, d, y * y, d * d, y * d)
    return SumsColumns(*(np.asarray(each.cumsum()[users - 1], dtype=np.float64) for each in columns))


def harmed_users(runs: int) -> list[Row]:
    """Errors doubled on a 1-5-25-50 % ramp while the baseline falls: users who failed because of the candidate."""
    name = "users harmed until a halt, errors doubled, 1-5-25-50 % ramp, mean"
    rows = []
    for others, text in ((True, "control all others"), (False, "control an equal slice")):
        rng = np.random.default_rng([48, others])
        totals = np.array([_harmed(rng, others=others) for _ in range(runs)])
        mean, error = float(totals.mean()), float(totals.std()) / math.sqrt(runs)
        if others:
            rows.append(number_at_most(f"{name}: {text}", 20.0, mean, runs=runs, error=error))
        else:
            rows.append(Row(f"{name}: {text}", "none set", f"{mean:.4g}", runs, error, holds=True))
    return rows


def _harmed(rng: np.random.Generator, *, others: bool, batches: int = 400, users: int = 200) -> float:
    """Batches of users, 20 000 users on each stage; the control's rate of failing users falls from 1.5 to 0.8 %."""
    shares = np.repeat(RAMP, batches // len(RAMP))
    rates = np.linspace(0.015, 0.008, batches)
    treated = np.round(users * shares).astype(np.intp)
    untreated = users - treated if others else treated
    t, c = rng.binomial(treated, 2.0 * rates), rng.binomial(untreated, rates)
    log_e = events.ratio_log_e(t, c, treated / (treated + untreated))
    reached = np.flatnonzero(log_e >= THRESHOLD)
    last = int(reached[0]) if reached.size else batches - 1
    return float((treated * rates)[: last + 1].sum())


def quiet_ramp(runs: int) -> list[Row]:
    """No harm: users with 1 to 500 requests, errors of 0.1 %, swinging load, a look at every tick of the ramp."""
    rng = np.random.default_rng(49)
    halted = sum(_ever_halts(rng) for _ in range(runs))
    return [chance_at_most("false halt of a rollout, 4 guardrails, 56 ticks of a 1-5-25-50 % ramp", 0.01, halted, runs)]


def _ever_halts(rng: np.random.Generator) -> bool:
    ticks = len(RAMP) * TICKS_A_STAGE
    drift = drifting(rng, ticks)
    sizes = np.maximum(rng.poisson(np.repeat(RAMP, TICKS_A_STAGE) * 1500 * np.exp(rng.normal(0, 0.3, ticks))), 1)
    first = np.repeat(np.arange(ticks), sizes)
    control, new = (arm(rng, first, ticks, drift=drift) for _ in range(2))
    metrics = [
        MetricPlan(name, kind, Direction.DECREASE, Role.GUARDRAIL, margin_kind=MarginKind.RELATIVE)
        for name, kind in GUARDED.items()
    ]
    plan = replace(_plan(metrics[0], 0.5), metrics=tuple(metrics), minimum_units=100)
    names = [metric for metric in metrics for _ in range(ticks)]
    columns = [SumsColumns.joined([side[metric.key] for metric in metrics]) for side in (new, control)]
    with np.errstate(all="ignore"):
        log_e = log_harm(plan, arrange(names, ["new"] * len(names), *columns)).reshape(len(metrics), ticks)
    return bool(np.any(np.exp(np.nan_to_num(log_e, nan=-np.inf)).mean(axis=0) >= 100.0))
