"""Caps for heavy tails: one unit with a hundred times the usual must not decide an experiment.

A cap is taken once, before the start, from both arms' past or the control's, and holds for all arms and looks. Taken
anew at each look it would break the any-time evidence, and taken by arm it would bias the difference.
"""

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.arrays import Floats
from experiments.stats.errors import InvalidArgument, InvalidEvidence, require


def frozen_cap(totals: ArrayLike, *, level: float = 0.999) -> float:
    """The cap: the smallest total of a unit that is not exceeded by `level` of units.

    Reference: Tukey, The future of data analysis (Ann. Math. Stat. 1962), winsorising; Kohavi, Tang and Xu, Trustworthy
    Online Controlled Experiments (2020), chapter 22.

    Raises:
        InvalidArgument: `level-range`.
        InvalidEvidence: `totals-none`, `totals-not-finite`.

    >>> frozen_cap([1.0, 2.0, 3.0, 100.0], level=0.75)
    3.0
    """
    require(0.0 < level <= 1.0, lambda: _level_range(level))
    totals = np.asarray(totals, dtype=np.float64)
    require(totals.size > 0, lambda: _evidence("totals-none", "There is no unit to take a cap from."))
    require(bool(np.isfinite(totals).all()), lambda: _evidence("totals-not-finite", "A total is no number."))
    return float(np.quantile(totals, level, method="inverted_cdf"))


def capped(totals: ArrayLike, cap: float) -> Floats:
    """Each unit's total, and the cap where it is more.

    >>> capped([1.0, 9.0, 100.0], 9.0).tolist()
    [1.0, 9.0, 9.0]
    """
    return np.minimum(np.asarray(totals, dtype=np.float64), cap)


def share_capped(totals: ArrayLike, cap: float) -> float:
    """Share of units that the cap changes; 0 without units. Above some per cent the cap is part of the metric.

    >>> share_capped([1.0, 9.0, 100.0, 5.0], 9.0)
    0.25
    """
    totals = np.asarray(totals, dtype=np.float64)
    return float(np.count_nonzero(totals > cap) / totals.size) if totals.size else 0.0


def _level_range(level: float) -> InvalidArgument:
    return InvalidArgument("level-range", f"The level is {level}.", next_step="Give a share of units, like 0.999.")


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give one finite total for each unit of the past.")
