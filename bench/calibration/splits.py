"""Sample ratio: how soon a broken split is found, and how rarely a sound one is called broken."""

import math

import numpy as np
from scipy import special

from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_most, number_at_most
from experiments.stats.health.sample_ratio import CONCENTRATION, MISMATCH_LOG_E, log_e_value


def splits(runs: int) -> list[Row]:
    """Units until a split off by 5 or 2 % is found, and false alarms when it is looked at all the time."""
    rows = []
    for off, limit in ((0.05, 30_000.0), (0.02, 200_000.0)):
        rng = np.random.default_rng([52, round(off * 100)])
        share = (1.0 + off) / 2.0 / ((1.0 + off) / 2.0 + 0.5)
        found = np.array([_units_until_mismatch(rng, share, round(4 * limit)) for _ in range(runs)])
        error = 1.57 * float(np.subtract(*np.quantile(found, [0.75, 0.25]))) / math.sqrt(runs) / 1.35
        name = f"units until a split off by {off:.0%} is found: median"
        rows.append(number_at_most(name, limit, float(np.median(found)), runs=runs, error=error))
    rng = np.random.default_rng(53)
    false = sum(_units_until_mismatch(rng, 0.5, 100_000) < 100_000 for _ in range(runs))
    rows.append(chance_at_most("false alarms of a sound split, looked at all the time", 0.001, false, runs))
    return rows


def _units_until_mismatch(rng: np.random.Generator, share: float, most: int, *, steps: int = 1000) -> float:
    size = most // steps
    first = rng.binomial(size, share, steps).cumsum().astype(np.float64)
    units = size * np.arange(1, steps + 1, dtype=np.float64)
    reached = np.flatnonzero(_log_e(first, units - first) >= MISMATCH_LOG_E)
    return float(units[reached[0]]) if reached.size else float(most)


def _log_e(first: Values, second: Values) -> Values:
    """`log_e_value` of many counts of two equal arms at once; its last entry is checked against it."""
    half = CONCENTRATION / 2.0
    found = special.betaln(half + first, half + second) - special.betaln(half, half) + (first + second) * math.log(2.0)
    exact = log_e_value([first[-1], second[-1]], [0.5, 0.5])
    if not math.isclose(float(found[-1]), exact, rel_tol=1e-6, abs_tol=1e-6):
        raise AssertionError("The bench computes another e-value than the product.")
    return np.asarray(found, dtype=np.float64)
