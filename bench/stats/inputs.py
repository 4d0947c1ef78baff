"""One input for all: 100 metrics in 4 variants, as sums over units."""

import json
from pathlib import Path
from typing import Any

import numpy as np

METRICS, VARIANTS, UNITS, SEED = 100, ("control", "a", "b", "c"), 5000, 71
KINDS = ("proportion", "mean", "ratio")


def make(seed: int = SEED) -> list[dict[str, Any]]:
    """A third each of shares, means and ratios: for each metric its kind, and for each variant its sums."""
    rng = np.random.default_rng(seed)
    return [
        {
            "kind": KINDS[number % 3],
            "arms": {variant: _sums(rng, KINDS[number % 3], place) for place, variant in enumerate(VARIANTS)},
        }
        for number in range(METRICS)
    ]


def write(path: Path) -> None:
    """Leave the input for the processes that are timed."""
    path.write_text(json.dumps(make()))


def _sums(rng: np.random.Generator, kind: str, place: int) -> dict[str, float]:
    lift = 1.0 + 0.02 * place
    d = np.ones(UNITS)
    if kind == "proportion":
        y = (rng.random(UNITS) < 0.1 * lift).astype(np.float64)
    elif kind == "mean":
        y = rng.lognormal(0.0, 1.0, UNITS) * lift
    else:
        d = rng.geometric(0.2, UNITS).astype(np.float64)
        y = rng.binomial(d.astype(np.int64), 0.05 * lift).astype(np.float64)
    names = ("units", "y", "d", "yy", "dd", "yd")
    values = (UNITS, y.sum(), d.sum(), (y * y).sum(), (d * d).sum(), (y * d).sum())
    return {name: float(value) for name, value in zip(names, values, strict=True)}
