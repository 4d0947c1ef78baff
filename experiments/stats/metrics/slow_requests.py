"""Slow requests: the share above a threshold that was frozen before the start, from counts per unit.

The way to gate on a quantile: it is a ratio metric, so every test there is takes it, at any time.
"""

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.types import UnitSums


def frozen_threshold(values: ArrayLike, level: float) -> float:
    """The threshold: the smallest value that is not exceeded by `level` of the requests, in the values' unit.

    Take it once, from the control or a period before the start, for all arms and looks. Taken anew at each look it
    would follow the data that it judges. How well it hits the quantile does not matter for the comparison, as both arms
    have the same one; it only says at which slowness one looks.
    Reference: Deng, Knoblich and Lu, Applying the delta method in metric analytics (KDD 2018).

    Raises:
        InvalidArgument: `level-range`.
        InvalidEvidence: `values-none`, `values-not-finite`.

    >>> frozen_threshold([120.0, 80.0, 100.0, 900.0], 0.75)
    120.0
    """
    require(0.0 < level < 1.0, lambda: _level_range(level))
    values = np.asarray(values, dtype=np.float64)
    require(values.size > 0, lambda: _values("values-none", "There is no request to take a threshold from."))
    require(bool(np.isfinite(values).all()), lambda: _values("values-not-finite", "A value is infinite or no number."))
    return float(np.quantile(values, level, method="inverted_cdf"))


def slow_share(slow: ArrayLike, requests: ArrayLike) -> UnitSums:
    """Sums of slow requests over requests, clustered by unit, from both counts of each unit.

    A unit without requests is left out, as nothing was measured of it.

    Raises:
        InvalidEvidence: `counts-lengths`, `counts-not-finite`, `counts-impossible`.

    >>> slow_share([0, 2], [1, 2])
    UnitSums(units=2, sum_y=2.0, sum_d=3.0, sum_yy=4.0, sum_dd=5.0, sum_yd=4.0)
    """
    slow, requests = np.asarray(slow, dtype=np.float64), np.asarray(requests, dtype=np.float64)
    same = slow.shape == requests.shape
    require(same, lambda: _counts("counts-lengths", "Slow requests and requests differ in length."))
    finite = bool(np.isfinite(slow).all() and np.isfinite(requests).all())
    require(finite, lambda: _counts("counts-not-finite", "A count is infinite or no number."))
    possible = bool(np.all((slow >= 0.0) & (slow <= requests)))
    require(possible, lambda: _counts("counts-impossible", "A unit has fewer than no slow requests, or more than all."))
    measured = requests > 0.0
    return UnitSums.of(slow[measured], requests[measured])


def _level_range(level: float) -> InvalidArgument:
    return InvalidArgument("level-range", f"The level is {level}.", next_step="Give a share of requests, like 0.9.")


def _values(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give one finite value for each request before the start.")


def _counts(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give each unit's slow requests and all of its requests.")
