"""Users of two arms, drawn with a seed, and plans to judge them by."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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

Values = NDArray[np.float64]

ERRORS = MetricPlan(
    "errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.005, margin_kind=MarginKind.ABSOLUTE
)
LATENCY = MetricPlan("latency", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
FAILED_USERS = MetricPlan("failed-users", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
THUMBS = MetricPlan("thumbs", MetricType.PROPORTION, Direction.INCREASE, Role.GOAL, minimum_effect=0.1)
REVENUE = MetricPlan("revenue", MetricType.MEAN, Direction.INCREASE, Role.GOAL)


def plan(*metrics: MetricPlan, candidates: int = 1, minimum_units: int = 100) -> JudgePlan:
    """Control and candidates with equal shares; the candidates are called new, new-2, ..."""
    names = ["new", *(f"new-{number}" for number in range(2, candidates + 1))][:candidates]
    share = 1.0 / (candidates + 1)
    return JudgePlan(metrics, "control", dict.fromkeys(["control", *names], share), minimum_units=minimum_units)


def sums(y: Values, d: Values | None = None) -> UnitSums:
    """Sums over users of their totals."""
    d = np.ones_like(y) if d is None else d
    return UnitSums(
        len(y), float(y.sum()), float(d.sum()), float((y * y).sum()), float((d * d).sum()), float((y * d).sum())
    )


def share(units: int, events: int) -> UnitSums:
    """A proportion."""
    return UnitSums(units, events, units, events, units, events)


def evidence(metric: MetricPlan, control: UnitSums, *candidates: UnitSums) -> Evidence:
    """Evidence of one metric for the control and candidates of `plan`."""
    names = ["control", "new", *(f"new-{number}" for number in range(2, len(candidates) + 1))]
    arms = dict(zip(names, (control, *candidates), strict=False))
    return Evidence({name: arm.units for name, arm in arms.items()}, {(metric.key, n): arm for n, arm in arms.items()})


def together(*parts: Evidence) -> Evidence:
    """Evidence of several metrics of the same units."""
    return replace(parts[0], sums={key: arm for part in parts for key, arm in part.sums.items()})


def requests(rng: np.random.Generator, users: int, mean: float = 5.0) -> Values:
    """How many requests each user sends: mostly few, sometimes many."""
    return rng.geometric(1.0 / mean, users).astype(np.float64)


def errors(rng: np.random.Generator, counts: Values, rate: float) -> UnitSums:
    """Failed requests out of all, a user a cluster."""
    return sums(rng.binomial(counts.astype(np.int64), rate).astype(np.float64), counts)


def latencies(rng: np.random.Generator, counts: Values, median: float) -> UnitSums:
    """Total latency and requests of each user; users differ, requests differ more."""
    user = rng.normal(0.0, 0.4, len(counts))
    totals = np.array([rng.lognormal(shift, 0.6, int(count)).sum() for shift, count in zip(user, counts, strict=True)])
    return sums(totals * median, counts)
