"""What the statistics cost, on the machine that runs this.

What one thread computes is told in CPU time, as `bench.stats` does, so that other programs matter less; the
lake is read by several threads, and waited for.
"""

import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values
from bench.calibration.rows import Row, number_at_least, number_at_most
from bench.evidence.__main__ import OF_REQUESTS, START, fill
from experiments.evidence import collect_evidence
from experiments.stats.core.spending import Look
from experiments.stats.core.types import Direction, Evidence, JudgePlan, MetricPlan, MetricType, Role, UnitSums
from experiments.stats.health.sample_ratio import log_e_value
from experiments.stats.judging.judge import judge
from experiments.stats.metrics.quantiles import clustered_quantile
from experiments.stats.sequential.group_sequential import next_critical_value

VARIANTS = ("control", "a", "b", "c")
KINDS = (MetricType.PROPORTION, MetricType.MEAN, MetricType.RATIO)
ROLES = (Role.GOAL, Role.GUARDRAIL, Role.OBSERVED)


def speed(runs: int) -> list[Row]:
    """Milliseconds of CPU time at the 95th percentile, and rows a second of waiting."""
    repeats = max(20, min(runs, 200))
    plan, evidence = hundred_metrics()
    judged = late(lambda: judge(plan, evidence), repeats)
    ratio = late(lambda: log_e_value([5100, 4900], [0.5, 0.5]), repeats)
    values, units = _requests(1_000_000)
    quantile = late(lambda: clustered_quantile(values, units, 0.9), 5)
    return [
        number_at_most("100 metrics x 4 variants judged, p95", 5.0, 1e3 * judged, unit="ms"),
        number_at_most("critical value of a 14th look, p95", 10.0, 1e3 * _next_look(repeats), unit="ms"),
        number_at_most("sample-ratio e-value, p95", 50.0, 1e6 * ratio, unit="us"),
        number_at_most("P90 of 1 000 000 requests, clustered, p95", 200.0, 1e3 * quantile, unit="ms"),
        number_at_least("requests to sums over units, from the lake", 5e6, _rows_a_second(), unit="rows/s"),
    ]


def hundred_metrics() -> tuple[JudgePlan, Evidence]:
    """A third each of shares, means and ratios, and of goals, guardrails and observed metrics."""
    rng = np.random.default_rng(54)
    metrics = tuple(
        MetricPlan(f"m-{n}", KINDS[n % 3], Direction.DECREASE, ROLES[n // 3 % 3], margin=0.05) for n in range(100)
    )
    plan = JudgePlan(metrics, "control", dict.fromkeys(VARIANTS, 0.25))
    sums = {(metric.key, variant): _sums(rng, metric.type) for metric in metrics for variant in VARIANTS}
    return plan, Evidence(dict.fromkeys(VARIANTS, 5000), sums)


def late(call: Callable[[], object], repeats: int) -> float:
    """CPU seconds of the slowest but one in twenty calls, after one that is not counted."""
    call()
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        seconds.append(time.process_time() - started)
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def _next_look(repeats: int) -> float:
    """Each with a new history, so that only the looks before the last are remembered."""
    seconds = []
    for number in range(repeats):
        looks = [Look((k + 1) / 14 * (1 + number * 1e-3), (k + 1) / 14) for k in range(14)]
        next_critical_value(looks[:-1], 0.025)
        started = time.process_time()
        next_critical_value(looks, 0.025)
        seconds.append(time.process_time() - started)
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def _rows_a_second(rows: int = 2_000_000) -> float:
    with tempfile.TemporaryDirectory() as directory:
        fill(directory, rows, rows // 10)
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            collect_evidence(directory, "bench", START, OF_REQUESTS)
            seconds.append(time.perf_counter() - started)
    return rows / min(seconds)


def _sums(rng: np.random.Generator, kind: MetricType) -> UnitSums:
    if kind is MetricType.PROPORTION:
        return UnitSums.of(rng.random(5000) < 0.1)
    if kind is MetricType.MEAN:
        return UnitSums.of(rng.lognormal(0.0, 1.0, 5000))
    d = rng.geometric(0.2, 5000)
    return UnitSums.of(rng.binomial(d, 0.05), d)


def _requests(count: int) -> tuple[Values, NDArray[np.int64]]:
    rng = np.random.default_rng(55)
    return rng.lognormal(5.0, 1.0, count), rng.integers(0, 100_000, count)
