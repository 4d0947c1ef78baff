"""Many hypotheses at once."""

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, StatisticsError, require


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that keep the chance of any false claim below alpha, whatever the dependence.

    Sorted upwards, the k-th of m is multiplied by m - k + 1, and none may be lower than the one before.
    Reference: Holm, A simple sequentially rejective multiple test procedure (Scand. J. Statist. 1979).

    Raises:
        InvalidEvidence: `p-values-range`.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values = _probabilities(p_values)
    order = np.argsort(p_values)
    factors = np.arange(p_values.size, 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that keep the expected share of false claims among all claims below alpha.

    Sorted upwards, the k-th of m is multiplied by m / k, and none may be higher than the one after it.
    For metrics that are shown and decide nothing. Assumes independent or positively dependent p-values.
    Reference: Benjamini and Hochberg, Controlling the false discovery rate (JRSS B 1995).

    Raises:
        InvalidEvidence: `p-values-range`.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    p_values = _probabilities(p_values)
    order = np.argsort(p_values)
    factors = p_values.size / np.arange(1.0, p_values.size + 1.0)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum.accumulate((p_values[order] * factors)[::-1])[::-1]
    return adjusted


def e_benjamini_hochberg(log_e: ArrayLike, alpha: float) -> Flags:
    """Which hypotheses e-values reject with an expected share of false claims of alpha at the most, at any time.

    The largest k for which the k-th largest e-value is at least m / (alpha k) (e-BH). Needs no assumption about their
    dependence.
    Reference: Wang and Ramdas, False discovery rate control with e-values (JRSS B 2022).

    Raises:
        InvalidArgument: `alpha-range`.
        InvalidEvidence: `e-values-none`, a log e-value is NaN.

    >>> e_benjamini_hochberg([8.0, 6.0, 4.5, 3.2, 2.0, 1.0, 0.0, -1.0], 0.05).tolist()
    [True, True, True, False, False, False, False, False]
    """
    log_e = np.asarray(log_e, dtype=np.float64)
    require(0.0 < alpha < 1.0, lambda: _alpha_range(alpha))
    require(not np.isnan(log_e).any(), lambda: _evidence("e-values-none", "A log e-value is no number."))
    falling = np.sort(log_e)[::-1]
    counts = np.arange(1, log_e.size + 1)
    reached = falling >= np.log(max(log_e.size, 1) / alpha / counts)
    if not reached.any():
        return np.zeros(log_e.shape, dtype=np.bool_)
    return np.asarray(log_e >= falling[np.flatnonzero(reached)[-1]], dtype=np.bool_)


def _probabilities(p_values: ArrayLike) -> Floats:
    p_values = np.asarray(p_values, dtype=np.float64)
    sound = bool(((p_values >= 0.0) & (p_values <= 1.0)).all())
    require(sound, lambda: _evidence("p-values-range", "A p-value is no number from 0 to 1."))
    return p_values


def _evidence(code: str, detail: str) -> StatisticsError:
    return InvalidEvidence(code, detail, next_step="Leave out hypotheses that could not be tested.")


def _alpha_range(alpha: float) -> StatisticsError:
    return InvalidArgument("alpha-range", f"alpha is {alpha}.", next_step="Give a value between 0 and 1.")
