"""How much the heaviest units of an arm send, from counts that add up: how many units reach each of some totals."""

from collections.abc import Sequence

import numpy as np

from experiments.stats.core.arrays import Floats

THRESHOLDS = (2, 3, *(round(2.0 ** (power / 2.0)) for power in range(4, 41)))
"""Totals that are counted from, up to a million; each is larger than the one before by half of it at the most."""

FEWEST = 10
"""Units of one arm that make a kind of users: of what fewer do, no data tell whether there are others like them."""


def heavy_total(reached: Sequence[float]) -> float:
    """The total that the tenth heaviest unit of an arm has at the most, from how many units reach each threshold.

    It is one less than the first threshold that fewer than ten units reach.

    >>> heavy_total([500, 60, 60, 9, 1] + [0] * 34)
    5.0
    """
    known = next((bound for bound, units in zip(THRESHOLDS, reached, strict=True) if units < FEWEST), THRESHOLDS[-1])
    return float(known - 1)


def heavy_totals(totals: Floats) -> Floats:
    """`heavy_total` of each row of units' totals.

    >>> heavy_totals(np.array([[1.0] * 50 + [5.0] * 10, [1.0] * 60])).tolist()
    [5.0, 1.0]
    """
    reached = np.stack([(totals >= bound).sum(axis=-1) for bound in THRESHOLDS], axis=-1)
    return np.array([heavy_total(row) for row in reached.tolist()])
