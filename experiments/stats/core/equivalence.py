"""Equivalence: the difference lies within bounds on both sides."""

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates
from experiments.stats.core.contrast import linear_contrast, lower_tail


def equivalence_p_value(candidate: Estimates, control: Estimates, low: ArrayLike, high: ArrayLike) -> Floats:
    """P-value for "m_T - m_C lies between low and high", both in the metric's unit: the larger of two one-sided ones.

    Assumes independent arms; Welch's degrees of freedom.
    Reference: Schuirmann, A comparison of the two one-sided tests procedure (J. Pharmacokinet. Biopharm. 1987).

    >>> one = np.ones(1)
    >>> arm = Estimates(5000 * one, 0.1 * one, 0.09 * one, np.inf * one)
    >>> round(float(equivalence_p_value(arm, arm, -0.015, 0.015)[0]), 6)
    0.00621
    """
    above_low = linear_contrast(control, candidate, shift=-np.asarray(low, dtype=np.float64))
    below_high = linear_contrast(candidate, control, shift=high)
    # Arms change places for the lower bound: m_C - m_T + low < 0.
    return np.maximum(lower_tail(above_low), lower_tail(below_high))
