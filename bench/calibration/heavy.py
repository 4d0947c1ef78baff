"""A few heavy users, numerators that change their sign, and units: what is said hangs on none of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_least, chance_at_most, number_at_most
from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import lower_tail
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role
from experiments.stats.judging.cells import Cells, arrange
from experiments.stats.judging.harm import anytime_alpha, log_harm
from experiments.stats.judging.noninferiority import harm_contrast, look_contrast, observed_sign
from experiments.stats.metrics.quantiles import clustered_quantile

USERS, MARGIN = 1000, 0.1
SLICE = 250
METRIC = MetricPlan("metric", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=MARGIN)
PLAN = JudgePlan((METRIC,), "control", {"control": 0.5, "new": 0.5})
Draw = Callable[[np.random.Generator, Values], Values]


def one_heavy_user(runs: int) -> list[Row]:
    """A candidate exactly at its margin, and one user with a part of all requests of an arm: false passes and halts."""
    rows = []
    for number, (name, draw) in enumerate({"errors": _errors, "latency": _latencies}.items()):
        for place, (heaviest, who) in enumerate(((0.2, "new"), (0.2, "control"), (0.05, "new"), (0.0, "neither"))):
            rng = np.random.default_rng([64, number, place])
            hits = [_false_claims(rng, draw, heaviest, who, size) for size in _slices(runs)]
            passes, halts = (sum(each) for each in zip(*hits, strict=True))
            text = f"one user of {heaviest:.0%} of the requests: {who}" if heaviest else "no heavy user"
            rows.append(chance_at_most(f"false pass at a look, {name}, {text}", 0.05, passes, runs))
            rows.append(chance_at_most(f"false halt at that moment, {name}, {text}", 0.001, halts, runs))
    return rows


def _slices(runs: int) -> list[int]:
    """How many runs to draw at once, so that they fit in memory."""
    return [SLICE] * (runs // SLICE) + [runs % SLICE] * (runs % SLICE > 0)


def _false_claims(rng: np.random.Generator, draw: Draw, heaviest: float, who: str, runs: int) -> tuple[int, int]:
    control, new = (_requests(rng, runs, heaviest if who == arm else 0.0) for arm in ("control", "new"))
    untreated, treated = draw(rng, control), draw(rng, new)
    with np.errstate(all="ignore"):
        cells = _cells(METRIC, (untreated, control), (treated * (1.0 + MARGIN), new))
        p_value = lower_tail(harm_contrast(cells, observed_sign(cells), look_contrast))
        log_e = log_harm(PLAN, cells)
    return int((p_value < 0.05).sum()), int((log_e >= -np.log(anytime_alpha(PLAN))).sum())


def _requests(rng: np.random.Generator, runs: int, heaviest: float) -> Values:
    """1 to some requests a user, shape (runs, users); the first one has this share of all."""
    counts = rng.poisson(4.0, (runs, USERS)) + 1.0
    if heaviest:
        counts[:, 0] = np.round(heaviest / (1.0 - heaviest) * counts[:, 1:].sum(axis=1))
    return np.asarray(counts, dtype=np.float64)


def _errors(rng: np.random.Generator, counts: Values) -> Values:
    """5 % of requests fail, of most users hardly one and of some a third."""
    return rng.binomial(counts.astype(np.int64), rng.beta(0.5, 9.5, counts.shape)).astype(np.float64)


def _latencies(rng: np.random.Generator, counts: Values) -> Values:
    """Users differ by a factor of two, requests of one user as much again."""
    speed = np.exp(rng.normal(0.0, 0.7, counts.shape))
    return np.asarray(counts * speed * (1.0 + rng.normal(0.0, 0.7, counts.shape) / np.sqrt(counts)), dtype=np.float64)


def _cells(metric: MetricPlan, control: tuple[Values, Values], new: tuple[Values, Values]) -> Cells:
    arms = [_sums(*each) for each in (new, control)]
    return arrange([metric] * arms[0].units.size, ["new"] * arms[0].units.size, *arms)


def _sums(y: Values, d: Values) -> SumsColumns:
    columns = (np.ones_like(y), y, d, y * y, d * d, y * d)
    return SumsColumns(*(np.asarray(each.sum(axis=-1), dtype=np.float64) for each in columns))


def signed_numerators(runs: int) -> list[Row]:
    """A score of -1 to 1 a request: 0.3 turned to -0.3 is halted, and one around zero in both arms is not."""
    metric = replace(METRIC, direction=Direction.INCREASE, margin=0.05, margin_kind=MarginKind.ABSOLUTE)
    halted = {}
    for name, means in {"harm": (0.3, -0.3), "none": (0.0, 0.0)}.items():
        rng = np.random.default_rng([65, len(name)])
        halted[name] = sum(_scores_halt(rng, metric, means) for _ in range(runs))
    return [
        chance_at_least("halt, score of 0.3 turned to -0.3, 500 users of each arm", 0.99, halted["harm"], runs),
        chance_at_most("false halt, score around zero, 20 ticks", 0.01, halted["none"], runs),
    ]


def _scores_halt(rng: np.random.Generator, metric: MetricPlan, means: Sequence[float]) -> bool:
    """Whether it is halted at any of 20 ticks, up to 500 users of each arm."""
    users = np.linspace(100, 500, 20).astype(np.intp)
    arms = []
    for mean in means:
        counts = rng.geometric(0.3, 500).astype(np.float64)
        y = np.clip(rng.normal(mean, 0.5, 500), -1.0, 1.0) * counts
        columns = (np.ones(500), y, counts, y * y, counts * counts, y * counts)
        arms.append(SumsColumns(*(np.asarray(each.cumsum()[users - 1]) for each in columns)))
    with np.errstate(all="ignore"):
        log_e = log_harm(PLAN, arrange([metric] * users.size, ["new"] * users.size, arms[1], arms[0]))
    return bool(np.any(log_e >= -math.log(PLAN.halt_alpha)))


def units_of_amounts(runs: int) -> list[Row]:
    """The same amounts in dollars and in thousandths: the largest relative difference of p-values and of evidence."""
    rows = []
    for number, kind in enumerate((MetricType.MEAN, MetricType.RATIO, MetricType.QUANTILE)):
        rng = np.random.default_rng([66, number])
        amounts = [_amounts(rng, kind, runs) for _ in range(2)]
        plain, scaled = (_said(kind, *([each(scale) for each in amounts])) for scale in (1.0, 1000.0))
        apart = max(float(np.nanmax(np.abs(a / b - 1.0))) for a, b in zip(plain, scaled, strict=True))
        rows.append(number_at_most(f"difference between dollars and thousandths of them: {kind}", 1e-6, apart))
    return rows


def _amounts(rng: np.random.Generator, kind: MetricType, runs: int) -> Callable[[float], SumsColumns]:
    """One arm of 300 users in each run, of whom some have an amount; as a function of the unit."""
    counts = rng.geometric(0.3, (runs, 300)).astype(np.float64) if kind is MetricType.RATIO else np.ones((runs, 300))
    values = rng.lognormal(-1.0, 1.0, (runs, 300))
    if kind is MetricType.QUANTILE:
        users = np.arange(300)
        return lambda scale: SumsColumns.of([clustered_quantile(row * scale, users, 0.5).as_sums() for row in values])
    paid = np.where(rng.random((runs, 300)) < 0.2, values, 0.0)
    return lambda scale: _sums(paid * scale, counts)


def _said(kind: MetricType, control: SumsColumns, new: SumsColumns) -> tuple[Floats, Floats]:
    metric = replace(METRIC, type=kind)
    with np.errstate(all="ignore"):
        cells = arrange([metric] * new.units.size, ["new"] * new.units.size, new, control)
        return lower_tail(harm_contrast(cells, observed_sign(cells), look_contrast)), log_harm(PLAN, cells)
