"""Data like production's: users who come back, heavy tails, rare errors, load that swings, a baseline that drifts."""

import numpy as np
from numpy.typing import NDArray

from experiments.stats.core.columns import SumsColumns

Values = NDArray[np.float64]

MOST_REQUESTS = 500
ERROR_RATE = 0.001
METRICS = ("failed users", "errors", "latency", "slow", "revenue")
SLOW = 6.0
"""Threshold of slow requests: about one in ten."""


def arrival_shares(rng: np.random.Generator, ticks: int) -> Values:
    """Share of users first seen in each tick: load that swings, and remembers how it swung."""
    noise = rng.normal(0.0, 0.4, ticks)
    swing = np.zeros(ticks)
    for tick in range(1, ticks):
        swing[tick] = 0.8 * swing[tick - 1] + noise[tick]
    share = np.exp(swing)
    return np.asarray(share / share.sum(), dtype=np.float64)


def arm(
    rng: np.random.Generator, first_ticks: NDArray[np.intp], ticks: int, *, drift: Values
) -> dict[str, SumsColumns]:
    """Sums over the users seen until each tick, for every metric; one entry a tick.

    A user sends 1 to 500 requests, from the tick of first exposure to the end. Users differ in speed and in how often
    they fail; `drift` is a factor on both for everyone in a tick.
    """
    users = first_ticks.size
    counts = np.minimum(rng.zipf(1.8, users), MOST_REQUESTS)
    owner = np.repeat(np.arange(users), counts)
    span = ticks - first_ticks[owner]
    tick = first_ticks[owner] + (rng.random(owner.size) ** 2 * span).astype(np.intp)
    speed, frailty = rng.normal(0.0, 0.5, users), rng.lognormal(-0.125, 0.5, users)
    latency = np.exp(speed[owner] + rng.normal(0.0, 1.0, owner.size)) * drift[tick]
    failed = rng.random(owner.size) < np.minimum(ERROR_RATE * frailty[owner] * drift[tick], 1.0)
    cells = owner * ticks + tick
    totals = {
        name: np.bincount(cells, weights=weights, minlength=users * ticks).reshape(users, ticks).cumsum(axis=1)
        for name, weights in (
            ("requests", np.ones(owner.size)),
            ("errors", failed.astype(np.float64)),
            ("latency", latency),
            ("slow", (latency > SLOW).astype(np.float64)),
        )
    }
    seen = first_ticks[:, None] <= np.arange(ticks)
    revenue = np.where(seen, rng.lognormal(0.0, 1.0, users)[:, None], 0.0)
    any_error = (totals["errors"] > 0).astype(np.float64)
    ones = seen.astype(np.float64)
    return {
        "failed users": sums(any_error, ones, seen),
        "errors": sums(totals["errors"], totals["requests"], seen),
        "latency": sums(totals["latency"], totals["requests"], seen),
        "slow": sums(totals["slow"], totals["requests"], seen),
        "revenue": sums(revenue, ones, seen),
    }


def sums(y: Values, d: Values, seen: NDArray[np.bool_]) -> SumsColumns:
    """Sums over users in each tick; users not seen yet count nothing."""
    y, d = y * seen, d * seen
    columns = (seen.sum(axis=0), y.sum(axis=0), d.sum(axis=0), (y * y).sum(axis=0), (d * d).sum(axis=0))
    return SumsColumns(*(np.asarray(each, dtype=np.float64) for each in (*columns, (y * d).sum(axis=0))))


def drifting(rng: np.random.Generator, ticks: int) -> Values:
    """A factor that wanders by some ten per cent, as load does to latency."""
    return np.asarray(np.exp(np.cumsum(rng.normal(0.0, 0.03, ticks))), dtype=np.float64)


def rollout(
    rng: np.random.Generator, users: tuple[int, int], ticks: int
) -> tuple[dict[str, SumsColumns], dict[str, SumsColumns]]:
    """Control and an equal candidate of one rollout, over the same ticks with the same load and drift."""
    drift, load = drifting(rng, ticks), arrival_shares(rng, ticks)
    control, new = (arm(rng, np.sort(rng.choice(ticks, size=count, p=load)), ticks, drift=drift) for count in users)
    return control, new
