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

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, require

NEWTON_STEPS = 60
BISECTIONS = 60


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


def averaged(log_e: Floats, *, weights: Floats | None = None) -> Floats:
    """Log of the mean of e-values over the last axis, which is an e-value whatever their dependence.

    Weights sum to 1 and are chosen beforehand; without any they are equal.
    Reference: Vovk and Wang, E-values: calibration, combination and applications (Ann. Stat. 2021).

    >>> round(float(averaged(np.log([0.2, 150.0, 3.0]))), 6)
    3.933132
    """
    count = log_e.shape[-1]
    log_weights = -np.log(count) if weights is None else np.log(weights)
    return np.asarray(np.logaddexp.reduce(log_e + log_weights, axis=-1), dtype=np.float64)


def two_sided_critical(r: ArrayLike, alpha: float) -> Floats:
    """The |z| at which the mean of two-sided mixtures over the last axis of r reaches 1/alpha.

    Solved in z² by Newton's method from above: the log of the mean is convex and rising there, so each step stays
    above the root. For a single mixture the first guess is the solution.

    >>> round(float(two_sided_critical([8.211968], 0.05)), 4)
    3.0351
    """
    _check_alpha(alpha)
    r = np.moveaxis(np.asarray(r, dtype=np.float64), -1, 0).copy()
    slope = 0.5 * r / (1.0 + r)
    level = -0.5 * np.log1p(r) - np.log(r.shape[0])
    squared = np.min((-np.log(alpha) - level) / slope, axis=0)
    for _ in range(NEWTON_STEPS):
        terms = level + squared * slope
        largest = np.max(terms, axis=0)
        parts = np.exp(terms - largest)
        total = np.sum(parts, axis=0)
        step = (largest + np.log(total) + np.log(alpha)) * total / np.sum(parts * slope, axis=0)
        squared = squared - step
        if not np.any(np.abs(step) > 1e-12 * squared):
            break
    return np.asarray(np.sqrt(squared), dtype=np.float64)


def one_sided_critical(r: ArrayLike, alpha: float) -> Floats:
    """The z at which the one-sided mixture reaches 1/alpha, by bisection below its closed-form bound.

    >>> round(float(one_sided_critical(6.0, 0.05)), 4)
    2.7668
    """
    r = np.asarray(r, dtype=np.float64)
    high = one_sided_bound(r, alpha)
    low = np.full_like(high, -1.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        reached = one_sided_log_e(middle, r) >= -np.log(alpha)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def one_sided_bound(r: ArrayLike, alpha: float) -> Floats:
    """Closed form just above `one_sided_critical`: sqrt(2 (1+r)/r · log(1 + sqrt(1+r) / (2 alpha))).

    Reference: Waudby-Smith et al. (2024), proposition B.1.

    >>> round(float(one_sided_bound(6.0, 0.05)), 4)
    2.7802
    """
    _check_alpha(alpha)
    r = np.asarray(r, dtype=np.float64)
    return np.asarray(np.sqrt(2.0 * (1.0 + r) / r * np.log1p(np.sqrt(1.0 + r) / (2.0 * alpha))), dtype=np.float64)


def student_log_e(t: ArrayLike, degrees: ArrayLike, r: ArrayLike) -> Floats:
    """Log e-value against "no difference" for few units: Student's t in place of z, with r = tau² · information.

    ½ log q + (ν+1)/2 [log(1 + t²/ν) - log(1 + q t²/ν)] with q = 1/(1+r) and effects measured in standard deviations.
    Exact for normal residuals.
    Reference: Lindon, Ham, Tingley and Bojinov, Anytime-valid linear models (arXiv 2210.08589).

    >>> round(float(student_log_e(3.0, 500, 503.0)), 6)
    1.348665
    """
    t, degrees, r = (np.asarray(each, dtype=np.float64) for each in (t, degrees, r))
    kept = 1.0 / (1.0 + r)
    gain = np.log1p(t**2 / degrees) - np.log1p(kept * t**2 / degrees)
    return np.asarray(0.5 * np.log(kept) + 0.5 * (degrees + 1.0) * gain, dtype=np.float64)


def student_critical(degrees: ArrayLike, r: ArrayLike, alpha: float) -> Floats:
    """The |t| at which `student_log_e` reaches 1/alpha; infinite where so few units never can.

    >>> round(float(student_critical(157, 160.0, 0.05)), 6)
    3.38732
    """
    _check_alpha(alpha)
    degrees, r = np.asarray(degrees, dtype=np.float64), np.asarray(r, dtype=np.float64)
    kept = 1.0 / (1.0 + r)
    ratio = (kept * alpha**2) ** (-1.0 / (degrees + 1.0))
    reachable = kept * ratio < 1.0
    squared = degrees * np.divide(ratio - 1.0, 1.0 - kept * ratio, out=np.full_like(ratio, np.inf), where=reachable)
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
