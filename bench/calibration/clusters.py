"""Requests of one user resemble each other: quantiles cover, and means do not see what is not there."""

import math

import numpy as np
from scipy import special

from bench.calibration.production import MOST_REQUESTS, Values
from bench.calibration.rows import Row, chance_at_most, chance_between
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import lower_tail
from experiments.stats.core.types import Direction, MetricPlan, MetricType, Role, UnitSums
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.shown import planned_contrast
from experiments.stats.metrics.quantiles import clustered_quantile

SPREAD = 0.7


def quantile_coverage(runs: int) -> list[Row]:
    """95 % intervals of P50, P90 and P99 with 1 to 200 requests a user of heavy-tailed use."""
    rows = []
    for level, users in ((0.5, 200), (0.9, 200), (0.99, 1000)):
        rng, covered = np.random.default_rng([50, round(level * 100)]), 0
        truth = math.exp(SPREAD * math.sqrt(2.0) * float(special.ndtri(level)))
        for _ in range(runs):
            values, units = _requests(rng, users, most=200)
            found = clustered_quantile(values, units, level)
            covered += found.low <= truth <= found.high
        name = f"P{level * 100:g} interval holds, {users} users of 1 to 200 requests"
        rows.append(chance_between(name, 0.93, 0.97, covered, runs))
    return rows


def resembling_requests(runs: int) -> list[Row]:
    """No difference, half of the variance between users: a mean of requests is wrong at most in 6 % of runs."""
    rng, found = np.random.default_rng(51), 0
    metric = MetricPlan("metric", MetricType.RATIO, Direction.DECREASE, Role.OBSERVED)
    for _ in range(runs):
        sums = []
        for _arm in range(2):
            values, units = _requests(rng, 2000, most=MOST_REQUESTS)
            codes = units.astype(np.intp)
            sums.append(UnitSums.of(np.bincount(codes, weights=np.log(values) + 9.0), np.bincount(codes)))
        cells = arrange([metric], ["new"], *(SumsColumns.of([each]) for each in sums))
        tail = float(lower_tail(planned_contrast(cells))[0])
        found += min(tail, 1.0 - tail) < 0.025
    return [chance_at_most("false alarms of a mean of requests, ICC 0.5", 0.06, found, runs)]


def _requests(rng: np.random.Generator, users: int, *, most: int) -> tuple[Values, Values]:
    counts = np.minimum(rng.zipf(1.8, users), most)
    units = np.repeat(np.arange(users), counts)
    values = np.exp(rng.normal(0.0, SPREAD, users)[units] + rng.normal(0.0, SPREAD, units.size))
    return values, units.astype(np.float64)
