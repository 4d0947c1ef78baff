"""Caps for heavy tails: one unit with a hundred times the usual must not decide an experiment.

A cap is taken once, before the start, from both arms' past or the control's, and holds for all arms and looks. Taken
anew at each look it would break the any-time evidence, and taken by arm it would bias the difference.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require


def frozen_cap(totals: ArrayLike, *, counts: ArrayLike | None = None, level: float = 0.999) -> float:
    """The cap: the smallest total of a unit that is not exceeded by `level` of units.

    `counts`, if given, are how many units have each total, so that the upper edges of a histogram's bins will do; the
    cap is then an edge, which at `level` or more of units is not exceeded.
    Reference: Tukey, The future of data analysis (Ann. Math. Stat. 1962), winsorising; Kohavi, Tang and Xu, Trustworthy
    Online Controlled Experiments (2020), chapter 22.

    Raises:
        InvalidArgument: `level-range`.
        InvalidEvidence: `totals-none`, `totals-not-finite`, `counts-invalid`.

    >>> frozen_cap([1.0, 2.0, 3.0, 100.0], level=0.75)
    3.0
    >>> frozen_cap([1.0, 10.0, 100.0], counts=[90, 9, 1], level=0.99)
    10.0
    """
    require(0.0 < level <= 1.0, lambda: _level_range(level))
    totals = _finite(totals)
    weights = np.ones_like(totals) if counts is None else np.asarray(counts, dtype=np.float64)
    sound = weights.shape == totals.shape and bool((np.isfinite(weights) & (weights >= 0.0)).all())
    require(sound, lambda: _evidence("counts-invalid", "A count is missing, below zero or no number."))
    require(bool(weights.any()), lambda: _evidence("totals-none", "There is no unit to take a cap from."))
    held = weights > 0.0
    return float(np.quantile(totals[held], level, weights=weights[held], method="inverted_cdf"))


def capped(totals: ArrayLike, cap: float) -> Floats:
    """Each unit's total, and the cap where it is more.

    Raises:
        InvalidArgument: `cap-range`.
        InvalidEvidence: `totals-not-finite`.

    >>> capped([1.0, 9.0, 100.0], 9.0).tolist()
    [1.0, 9.0, 9.0]
    """
    _check_cap(cap)
    return np.minimum(_finite(totals), cap)


def share_capped(totals: ArrayLike, cap: float) -> float:
    """Share of units that the cap changes; 0 without units. Above some per cent the cap is part of the metric.

    Raises:
        InvalidArgument: `cap-range`.
        InvalidEvidence: `totals-not-finite`.

    >>> share_capped([1.0, 9.0, 100.0, 5.0], 9.0)
    0.25
    """
    _check_cap(cap)
    totals = _finite(totals)
    return float(np.count_nonzero(totals > cap) / totals.size) if totals.size else 0.0


def _finite(totals: ArrayLike) -> Floats:
    totals = np.asarray(totals, dtype=np.float64)
    require(bool(np.isfinite(totals).all()), lambda: _evidence("totals-not-finite", "A total is no number."))
    return totals


def _check_cap(cap: float) -> None:
    step = "Take one with frozen_cap before the start."
    require(math.isfinite(cap), lambda: InvalidArgument("cap-range", f"The cap is {cap}.", next_step=step))


def _level_range(level: float) -> InvalidArgument:
    return InvalidArgument("level-range", f"The level is {level}.", next_step="Give a share of units, like 0.999.")


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give one finite total for each unit, or a count for each total.")
