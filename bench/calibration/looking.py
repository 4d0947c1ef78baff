"""Promotion at looks: the error rate whatever their number, and what they cost and save."""

import numpy as np

from bench.calibration.rows import Row, chance_between, number_at_most
from experiments.stats.core.spending import OBRIEN_FLEMING, Look, Spending, power_family
from experiments.stats.sequential.group_sequential import critical_values, design
from experiments.stats.sequential.group_sequential.design import stopping_probabilities

NAMES = {OBRIEN_FLEMING: "O'Brien-Fleming", power_family(2.0): "power 2"}
SINGLE = 1.959963984540054 + 0.8416212335729143


def equal_steps(looks: int) -> tuple[float, ...]:
    """Looks at equal steps of information."""
    return tuple((number + 1) / looks for number in range(looks))


def false_promotions(runs: int) -> list[Row]:
    """Paths without an effect, looked at 1 to 200 times, at steps that nobody planned; one-sided alpha of 5 %."""
    rows = []
    for number, looks in enumerate((1, 5, 14, 56, 200)):
        rng = np.random.default_rng([45, number])
        fractions = np.sort(rng.uniform(0.02, 1.0, looks))
        fractions[-1] = 1.0
        critical = critical_values([Look(t, t) for t in fractions.tolist()], 0.05)
        steps = rng.normal(0.0, 1.0, (10 * runs, looks)) * np.sqrt(np.diff(fractions, prepend=0.0))
        z = steps.cumsum(axis=1) / np.sqrt(fractions)
        hits = int(np.any(z >= critical, axis=1).sum())
        rows.append(chance_between(f"false promotions, {looks} looks at uneven steps", 0.045, 0.05, hits, 10 * runs))
    return rows


def price(_runs: int) -> list[Row]:
    """Exact, by the recursion: power lost at the same size, and the larger size that makes up for it."""
    rows = []
    for spending, lost, inflation in ((OBRIEN_FLEMING, 2.0, 1.05), (power_family(2.0), 4.5, 1.10)):
        name = NAMES[spending]
        found = 100.0 * (0.8 - _power(spending, 28))
        rows.append(number_at_most(f"power lost to 28 looks, {name}", lost, found, unit="points"))
        wanted = design(equal_steps(28), 0.05, 0.8, spending=spending, sides=2).inflation
        rows.append(number_at_most(f"size for a power of 80 % with 28 looks, {name}", inflation, wanted, unit="x"))
    for factor, most in ((1.0, 0.72), (1.5, 0.48), (2.0, 0.33), (4.0, 0.13)):
        used = _expected(power_family(2.0), 28, factor)
        name = f"mean information used at {factor:g} x the minimum effect, power 2, 28 looks"
        rows.append(number_at_most(name, most, used, unit="of one look"))
    return rows


def _power(spending: Spending, looks: int) -> float:
    steps = equal_steps(looks)
    critical = critical_values([Look(t, t) for t in steps], 0.05, spending=spending, sides=2)
    return float(stopping_probabilities(steps, critical, drift=SINGLE, sides=2).sum())


def _expected(spending: Spending, looks: int, factor: float) -> float:
    steps = equal_steps(looks)
    critical = critical_values([Look(t, t) for t in steps], 0.05, spending=spending, sides=2)
    stopped = stopping_probabilities(steps, critical, drift=factor * SINGLE, sides=2).sum(axis=0)
    return float(np.dot(steps, stopped) + 1.0 - stopped.sum())
