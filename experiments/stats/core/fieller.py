"""Relative effects with an interval that never disagrees with the absolute test."""

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates


def relative_interval(
    candidate: Estimates, control: Estimates, critical: Floats, *, common: ArrayLike = 0.0
) -> tuple[Floats, Floats]:
    """Ends of the interval of (m_T - m_C) / |m_C|, NaN where it is unbounded (m_C² ≤ c² s_C²).

    Fieller's interval: all g for which |m_T - g m_C| ≤ c sqrt(s_T² + g² s_C²), shifted to a lift. A relative margin
    lies in it exactly when the linear contrast with that margin is not rejected. `common` is the variance w of what
    both values have in common, which adds (1 - g)² w. Assumes normal estimates.
    Reference: Fieller, Some problems in interval estimation (JRSS B 1954).

    >>> one = np.ones(1)
    >>> control = Estimates(5000 * one, 0.1 * one, 0.09 * one, np.inf * one)
    >>> candidate = Estimates(5000 * one, 0.112 * one, 0.099456 * one, np.inf * one)
    >>> low, high = relative_interval(candidate, control, 1.959963984540054 * one)
    >>> round(float(low[0]), 9), round(float(high[0]), 9)
    (-0.000612129, 0.256208736)
    """
    # In units of the control, so that no square leaves the range of floats.
    ratio = candidate.value / control.value
    spread_t = critical**2 * candidate.variance / candidate.units / control.value / control.value
    spread_c = critical**2 * control.variance / control.units / control.value / control.value
    shared = critical**2 * np.asarray(common, dtype=np.float64) / control.value / control.value
    leading, middle = 1.0 - spread_c - shared, ratio - shared
    # The root of middle² - leading · (ratio² - spread_t - shared), written so that no digits cancel.
    apart = (1.0 - ratio) ** 2 - spread_c - spread_t
    root = np.sqrt(spread_t + (ratio**2 - spread_t) * spread_c + shared * apart)
    bounded = leading > 0.0
    low = np.where(bounded, (middle - root) / leading - 1.0, np.nan)
    high = np.where(bounded, (middle + root) / leading - 1.0, np.nan)
    # Below zero the ratio falls as the candidate rises, so the lift over |control| is its mirror image.
    negative = control.value < 0.0
    return np.where(negative, -high, low), np.where(negative, -low, high)
