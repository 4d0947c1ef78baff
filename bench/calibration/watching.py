"""Looking at every tick: false alarms without a difference, in every metric type and at small shares."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bench.calibration.production import METRICS, Values, rollout, sums
from bench.calibration.rows import Row, chance_at_least, chance_at_most
from experiments.stats.adjust.covariate import CovariateSums, adjust
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Direction, JudgePlan, MetricPlan, MetricType, Role
from experiments.stats.judging import intervals
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.harm import log_harm

TYPES = {
    "failed users": MetricType.PROPORTION,
    "errors": MetricType.RATIO,
    "latency": MetricType.RATIO,
    "slow": MetricType.RATIO,
    "revenue": MetricType.MEAN,
}
TICKS = 56
Arms = tuple[SumsColumns, SumsColumns]


def plan_of(kind: MetricType, share: float = 0.5, *, direction: Direction = Direction.DECREASE) -> JudgePlan:
    """One guardrail without a margin."""
    metric = MetricPlan("metric", kind, direction, Role.GUARDRAIL)
    return JudgePlan((metric,), "control", {"control": 1.0 - share, "new": share})


def ever_outside(kind: MetricType, arms: Arms, truth: float, alpha: float, share: float = 0.5) -> bool:
    """Whether the any-time interval leaves out the truth at any tick."""
    control, new = arms
    ticks = control.units.size
    plan = replace(plan_of(kind, share), alpha=alpha)
    with np.errstate(all="ignore"):
        cells = arrange([plan.metrics[0]] * ticks, ["new"] * ticks, new, control)
        low, high = intervals.at_all_times(plan, cells, intervals.Difference.of(cells, plan.alpha))
    return bool(np.any((low > truth) | (high < truth)))


def ever_harmful(kind: MetricType, arms: Arms, alpha: float, share: float, direction: Direction) -> bool:
    """Whether one guardrail alone would have halted at any tick."""
    control, new = arms
    ticks, plan = control.units.size, plan_of(kind, share, direction=direction)
    with np.errstate(all="ignore"):
        cells = arrange(list(plan.metrics) * ticks, ["new"] * ticks, new, control)
        log_e = log_harm(plan, cells)
    return bool(np.any(log_e >= -np.log(alpha)))


def peeking(runs: int) -> list[Row]:
    """56 days without a difference, looked at each day, for every metric type and two alphas."""
    rng, alphas = np.random.default_rng(41), (0.05, 0.01)
    hits = {(name, alpha): 0 for name in METRICS for alpha in alphas}
    for _ in range(runs):
        control, new = rollout(rng, (4000, 4000), TICKS)
        for name, alpha in hits:
            hits[name, alpha] += ever_outside(TYPES[name], (control[name], new[name]), 0.0, alpha)
    return [
        chance_at_most(f"false alarms, looked at on each of 56 days, 50/50: {name}", alpha, count, runs)
        for (name, alpha), count in hits.items()
    ]


Draw = Callable[[np.random.Generator, int], Values]
SMALL: dict[str, tuple[MetricType, Draw]] = {
    "share of 0.5 %": (MetricType.PROPORTION, lambda rng, n: (rng.random(n) < 0.005).astype(np.float64)),
    "log-normal, sigma 1": (MetricType.MEAN, lambda rng, n: rng.lognormal(0.0, 1.0, n)),
    "log-normal, sigma 2": (MetricType.MEAN, lambda rng, n: rng.lognormal(0.0, 2.0, n)),
}


def small_canary(runs: int) -> list[Row]:
    """5 % of users get the candidate, metrics are rare or skewed: false alarms for harm and for good."""
    rng = np.random.default_rng(42)
    hits: dict[tuple[str, Direction], int] = {}
    for name, (kind, draw) in SMALL.items():
        for _ in range(runs):
            arms = (growing(draw(rng, 38_000)), growing(draw(rng, 2000)))
            for way in Direction:
                found = ever_harmful(kind, arms, 0.05, 0.05, way)
                hits[name, way] = hits.get((name, way), 0) + found
    words = {Direction.DECREASE: "candidate higher", Direction.INCREASE: "candidate lower"}
    return [
        chance_at_most(f"false alarms, 5/95, {name}, {words[way]}", 0.05, count, runs)
        for (name, way), count in hits.items()
    ]


def growing(values: Values, ticks: int = TICKS) -> SumsColumns:
    """Sums of the first users, as many more in each tick."""
    y = values[: values.size // ticks * ticks].reshape(ticks, -1)
    n = np.asarray(np.arange(1, ticks + 1) * float(y.shape[1]), dtype=np.float64)
    total, squares = y.sum(axis=1).cumsum(), (y * y).sum(axis=1).cumsum()
    return SumsColumns(n, total, n, squares, n, total)


def coverage(runs: int) -> list[Row]:
    """The any-time interval holds the true effect at all ticks together, for every way to estimate."""
    found = {
        "mean": _mean_covers,
        "mean with CUPED": _adjusted_covers,
        "ratio, clustered": _ratio_covers,
        "share of slow requests": _slow_covers,
        "1-5-25-50 % ramp, drifting baseline": _ramp_covers,
    }
    rows = []
    for number, (name, covers) in enumerate(found.items()):
        rng = np.random.default_rng([43, number])
        hits = sum(covers(rng) for _ in range(runs))
        rows.append(chance_at_least(f"the 95 % interval holds at all ticks: {name}", 0.95, hits, runs))
    return rows


def _mean_covers(rng: np.random.Generator) -> bool:
    arms = (growing(rng.lognormal(0.0, 1.0, 5600)), growing(1.1 * rng.lognormal(0.0, 1.0, 5600)))
    return not ever_outside(MetricType.MEAN, arms, 0.1 * np.exp(0.5), 0.05)


def _adjusted_covers(rng: np.random.Generator) -> bool:
    past = rng.normal(10.0, 2.0, (2, 5600))
    after = past + rng.normal(0.0, 1.5, (2, 5600))
    after[1] += 0.2
    ticks = range(100, 5601, 100)
    arms: tuple[list[tuple[float, ...]], list[tuple[float, ...]]] = ([], [])
    for users in ticks:
        both = adjust(*(CovariateSums.of(after[arm, :users], past[arm, :users]) for arm in (1, 0)))
        for place, estimate in enumerate((both.control, both.candidate)):
            n, value, variance = users, float(estimate.value[0]), float(estimate.variance[0])
            arms[place].append((n, n * value, n, (n - 1) * variance + n * value**2, n, n * value))
    columns = tuple(SumsColumns(*np.array(rows, dtype=np.float64).T) for rows in arms)
    return not ever_outside(MetricType.MEAN, (columns[0], columns[1]), 0.2, 0.05)


def _requests(rng: np.random.Generator, users: int, factor: float) -> tuple[Values, Values, Values]:
    counts = np.minimum(rng.zipf(1.8, users), 500)
    speed = np.repeat(rng.normal(0.0, 0.5, users), counts)
    return counts.astype(np.float64), np.exp(speed + rng.normal(0.0, 0.8, speed.size)) * factor, speed


def _by_user(values: Values, counts: Values) -> Values:
    starts = np.concatenate(([0], counts.cumsum()[:-1])).astype(np.intp)
    return np.asarray(np.add.reduceat(values, starts), dtype=np.float64)


def _growing_ratio(y: Values, d: Values, ticks: int = TICKS) -> SumsColumns:
    seen = np.repeat(np.tri(ticks, dtype=np.bool_).T, y.size // ticks, axis=0)
    users = seen.shape[0]
    y, d = (np.repeat(each[:users, None], ticks, axis=1) for each in (y, d))
    return sums(y, d, seen)


def _ratio_covers(rng: np.random.Generator) -> bool:
    arms = []
    for factor in (1.0, 1.1):
        counts, values, _ = _requests(rng, 5600, factor)
        arms.append(_growing_ratio(_by_user(values, counts), counts))
    return not ever_outside(MetricType.RATIO, (arms[0], arms[1]), 0.1 * np.exp(0.125 + 0.32), 0.05)


def _slow_covers(rng: np.random.Generator) -> bool:
    from scipy import special

    threshold, spread = 3.0, np.sqrt(0.25 + 0.64)
    truths, arms = [], []
    for factor in (1.0, 1.2):
        counts, values, _ = _requests(rng, 5600, factor)
        arms.append(_growing_ratio(_by_user((values > threshold).astype(np.float64), counts), counts))
        truths.append(float(special.ndtr(-np.log(threshold / factor) / spread)))
    return not ever_outside(MetricType.RATIO, (arms[0], arms[1]), truths[1] - truths[0], 0.05)


def _ramp_covers(rng: np.random.Generator) -> bool:
    """Equal slices grow together while the baseline falls from 12 to 8 %: the effect is 1 point all along."""
    sizes = np.repeat([20, 100, 500, 1000], TICKS // 4)
    base = np.linspace(0.12, 0.08, TICKS)
    n = sizes.cumsum().astype(np.float64)
    arms = []
    for lift in (0.0, 0.01):
        events = rng.binomial(sizes, base + lift).cumsum().astype(np.float64)
        arms.append(SumsColumns(n, events, n, events, n, events))
    return not ever_outside(MetricType.PROPORTION, (arms[0], arms[1]), 0.01, 0.05)


def correlated_guardrails(runs: int, *, guardrails: int = 20) -> list[Row]:
    """20 guardrails that move together, none harmed: the mean of their e-values rarely halts."""
    rng, halted = np.random.default_rng(44), 0
    metrics: Sequence[MetricPlan] = [
        MetricPlan(f"m-{n}", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL) for n in range(guardrails)
    ]
    plan = JudgePlan(tuple(metrics), "control", {"control": 0.5, "new": 0.5})
    for _ in range(runs):
        arms = []
        for _arm in range(2):
            common = rng.normal(0.0, 1.0, (1, 2240))
            own = rng.normal(0.0, 0.7, (guardrails, 2240))
            arms.append(SumsColumns.joined([growing(10.0 + row) for row in common + own]))
        with np.errstate(all="ignore"):
            names = [metric for metric in metrics for _ in range(TICKS)]
            log_e = log_harm(plan, arrange(names, ["new"] * len(names), arms[1], arms[0])).reshape(guardrails, TICKS)
        halted += bool(np.any(np.exp(np.nan_to_num(log_e, nan=-np.inf)).mean(axis=0) >= 100.0))
    return [chance_at_most(f"false halt of a rollout, {guardrails} guardrails that move together", 0.01, halted, runs)]
