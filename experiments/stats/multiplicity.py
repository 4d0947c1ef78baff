"""Many hypotheses at once."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from experiments.stats.arrays import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that keep the chance of any false claim below alpha, whatever the dependence.

    Sorted upwards, the k-th of m is multiplied by m - k + 1, and none may be lower than the one before.
    Reference: Holm, A simple sequentially rejective multiple test procedure (Scand. J. Statist. 1979).

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values)
    factors = np.arange(p_values.size, 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that keep the expected share of false claims among all claims below alpha.

    For metrics that are shown and decide nothing. Assumes independent or positively dependent p-values.
    Reference: Benjamini and Hochberg, Controlling the false discovery rate (JRSS B 1995).

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    return np.asarray(stats.false_discovery_control(np.asarray(p_values, dtype=np.float64)), dtype=np.float64)
