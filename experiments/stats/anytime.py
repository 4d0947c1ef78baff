"""Evidence that may be looked at any time: normal mixtures in information time.

All take z = difference / standard error and r = tau² · information, where tau is the spread of effects that the
mixture looks for. Under the hypothesis z is a Brownian motion in information time, whatever the shares of the arms,
so the mixture is a martingale with mean 1 and exceeds 1/alpha ever with probability alpha at the most (Ville).
Asymptotic: it holds from the burn-in on, once estimates are about normal.

References: Robbins (1970); Howard, Ramdas, McAuliffe and Sekhon, Time-uniform confidence sequences (Ann. Stat. 2021);
Waudby-Smith et al., Time-uniform central limit theory (Ann. Stat. 2024); Johari et al., Always valid inference
(Operations Research 2022).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.columns import Floats
from experiments.stats.errors import InvalidArgument, require

NEWTON_STEPS = 60


def two_sided_log_e(z: ArrayLike, r: ArrayLike) -> Floats:
    """Log e-value against "no difference": -½ log(1+r) + ½ z² r/(1+r).

    >>> round(float(two_sided_log_e(2.789748383815, 4.5)), 9)
    2.331456154
    """
    z, r = np.asarray(z, dtype=np.float64), np.asarray(r, dtype=np.float64)
    return np.asarray(0.5 * (z**2 * r / (1.0 + r) - np.log1p(r)), dtype=np.float64)


def one_sided_log_e(z: ArrayLike, r: ArrayLike) -> Floats:
    """Log e-value against "at most zero": the two-sided one + log 2 + log Phi(z sqrt(r/(1+r))).

    The mixture is half-normal, so effects below zero add nothing; at z below zero it falls under 1.

    >>> round(float(one_sided_log_e(3.0, 10.0)), 6)
    3.582991
    """
    z, r = np.asarray(z, dtype=np.float64), np.asarray(r, dtype=np.float64)
    below_zero = special.log_ndtr(z * np.sqrt(r / (1.0 + r)))
    return np.asarray(two_sided_log_e(z, r) + np.log(2.0) + below_zero, dtype=np.float64)


def averaged(log_e: Floats, *, axis: int = -1) -> Floats:
    """Log of the mean of e-values, which is an e-value whatever their dependence (Vovk and Wang, Ann. Stat. 2021)."""
    count = log_e.shape[axis]
    return np.asarray(special.logsumexp(log_e, axis=axis) - np.log(count), dtype=np.float64)


def two_sided_critical(r: ArrayLike, alpha: float) -> Floats:
    """The |z| at which the mean of two-sided mixtures over the last axis of r reaches 1/alpha.

    Solved in z² by Newton's method from above: the log of the mean is convex and rising there, so each step stays
    above the root. For a single mixture the first guess is the solution.

    >>> round(float(two_sided_critical([8.211968], 0.05)), 4)
    3.0351
    """
    _check_alpha(alpha)
    r = np.asarray(r, dtype=np.float64)
    slope = 0.5 * r / (1.0 + r)
    level = -0.5 * np.log1p(r) - np.log(r.shape[-1])
    squared = np.min((-np.log(alpha) - level) / slope, axis=-1)
    for _ in range(NEWTON_STEPS):
        terms = level + squared[..., np.newaxis] * slope
        log_mean = np.asarray(special.logsumexp(terms, axis=-1), dtype=np.float64)
        weights = np.exp(terms - log_mean[..., np.newaxis])
        step = (log_mean + np.log(alpha)) / np.sum(weights * slope, axis=-1)
        squared = squared - step
        if not np.any(np.abs(step) > 1e-12 * squared):
            break
    return np.asarray(np.sqrt(squared), dtype=np.float64)


def tuned_ratio(alpha: float) -> float:
    """The r at which a two-sided interval is narrowest, r* = -W₋₁(-alpha²/e) - 1; pass 2 alpha for one side.

    With tau² = r* / planned information, the interval is narrowest at the planned end.

    >>> round(tuned_ratio(0.05), 6)
    8.211968
    """
    _check_alpha(alpha)
    return float(-special.lambertw(-(alpha**2) / np.e, -1).real - 1.0)


def _check_alpha(alpha: float) -> None:
    require(
        0.0 < alpha < 1.0,
        lambda: InvalidArgument("alpha-range", f"alpha is {alpha}.", next_step="Give a value between 0 and 1."),
    )
