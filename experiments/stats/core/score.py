"""Score tests of two proportions: right for rare events, where the normal approximation is not.

The variance is taken under the hypothesis that is tested, so an arm without a single event still has one. Trials need
not be whole: clustered events come with an effective number of trials.
References: Miettinen and Nurminen, Comparative analysis of two rates (Stat. Med. 1985); Farrington and Manning, Test
statistics and sample size formulae for comparative binomial trials (Stat. Med. 1990).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats

BISECTIONS = 60
LOG_LARGEST_RATIO = np.log(1e9)


@dataclass(frozen=True, slots=True)
class UnderHypothesis:
    """Standard error and skewness of p_t - factor · p_c, with the shares that are likeliest under the hypothesis."""

    error: Floats
    skewness: Floats


def under_difference(
    p_t: ArrayLike, n_t: ArrayLike, p_c: ArrayLike, n_c: ArrayLike, difference: ArrayLike
) -> UnderHypothesis:
    """Of p_t - p_c if the true difference is `difference`, by the constrained maximum likelihood.

    The likelihood equation is a cubic in p_t with one root in range, which has a closed form.

    >>> round(float(under_difference(0.015, 2000, 0.014, 2000, 0.005).error), 9)
    0.003822248
    """
    p_t, n_t, p_c, n_c, delta = (np.asarray(each, dtype=np.float64) for each in (p_t, n_t, p_c, n_c, difference))
    size = n_c / n_t
    a = 1.0 + size
    b = -(1.0 + size + p_t + size * p_c + delta * (size + 2.0))
    c = delta**2 + delta * (2.0 * p_t + size + 1.0) + p_t + size * p_c
    d = -p_t * delta * (1.0 + delta)
    v = b**3 / (27.0 * a**3) - b * c / (6.0 * a**2) + d / (2.0 * a)
    u = np.copysign(np.sqrt(np.maximum(b**2 / (9.0 * a**2) - c / (3.0 * a), 0.0)), v)
    cosine = np.divide(v, u**3, out=np.ones_like(v + u), where=u != 0.0)
    root = 2.0 * u * np.cos((np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0) - b / (3.0 * a)
    null_t = np.clip(root, np.maximum(delta, 0.0), np.minimum(1.0 + delta, 1.0))
    return _moments(null_t, n_t, null_t - delta, n_c, np.ones_like(null_t))


def under_ratio(p_t: ArrayLike, n_t: ArrayLike, p_c: ArrayLike, n_c: ArrayLike, ratio: ArrayLike) -> UnderHypothesis:
    """Of p_t - ratio · p_c if the true ratio is `ratio`, by the constrained maximum likelihood.

    >>> round(float(under_ratio(0.112, 5000, 0.1, 5000, 1.1).error), 9)
    0.006458592
    """
    p_t, n_t, p_c, n_c, ratio = (np.asarray(each, dtype=np.float64) for each in (p_t, n_t, p_c, n_c, ratio))
    size = n_c / n_t
    a = 1.0 + size
    b = -(ratio * (1.0 + size * p_c) + size + p_t)
    c = ratio * (p_t + size * p_c)
    # The smaller root of a p² + b p + c, written so that no digits cancel: b is never above zero.
    null_t = np.clip(2.0 * c / (np.sqrt(np.maximum(b**2 - 4.0 * a * c, 0.0)) - b), 0.0, np.minimum(ratio, 1.0))
    return _moments(null_t, n_t, null_t / ratio, n_c, ratio)


def difference_interval(
    p_t: ArrayLike, n_t: ArrayLike, p_c: ArrayLike, n_c: ArrayLike, critical: ArrayLike
) -> tuple[Floats, Floats]:
    """Ends of the interval of p_t - p_c: all differences whose score |z| is at most `critical`.

    >>> low, high = difference_interval(0.006, 1000, 0.001, 1000, 1.959963984540054)
    >>> round(float(low), 9), round(float(high), 9)
    (-0.000242392, 0.012144542)
    """
    p_t, n_t, p_c, n_c, critical = (np.asarray(each, dtype=np.float64) for each in (p_t, n_t, p_c, n_c, critical))

    def excess(difference: Floats) -> Floats:
        error = under_difference(p_t, n_t, p_c, n_c, difference).error
        return np.asarray(np.abs(p_t - p_c - difference) - critical * error, dtype=np.float64)

    inside = p_t - p_c
    return _boundary(excess, inside, np.full_like(inside, -1.0)), _boundary(excess, inside, np.full_like(inside, 1.0))


def ratio_interval(
    p_t: ArrayLike, n_t: ArrayLike, p_c: ArrayLike, n_c: ArrayLike, critical: ArrayLike
) -> tuple[Floats, Floats]:
    """Ends of the interval of p_t / p_c, up to 10⁹: all ratios whose score |z| is at most `critical`.

    >>> low, high = ratio_interval(0.112, 5000, 0.1, 5000, 1.959963984540054)
    >>> round(float(low), 5), round(float(high), 5)
    (0.99936, 1.25526)
    """
    p_t, n_t, p_c, n_c, critical = (np.asarray(each, dtype=np.float64) for each in (p_t, n_t, p_c, n_c, critical))

    def excess(log_ratio: Floats) -> Floats:
        ratio = np.exp(log_ratio)
        error = under_ratio(p_t, n_t, p_c, n_c, ratio).error
        return np.asarray(np.abs(p_t - ratio * p_c) - critical * error, dtype=np.float64)

    # Half an event more in each arm keeps the start finite and inside the interval.
    inside = np.log((p_t + 0.5 / n_t) / (p_c + 0.5 / n_c))
    far = np.full_like(inside, LOG_LARGEST_RATIO)
    return np.exp(_boundary(excess, inside, -far)), np.exp(_boundary(excess, inside, far))


def _moments(null_t: Floats, n_t: Floats, null_c: Floats, n_c: Floats, ratio: Floats) -> UnderHypothesis:
    of_t, of_c = null_t * (1.0 - null_t), null_c * (1.0 - null_c)
    variance = of_t / n_t + np.square(ratio) * of_c / n_c
    third = of_t * (1.0 - 2.0 * null_t) / n_t**2 - ratio**3 * of_c * (1.0 - 2.0 * null_c) / n_c**2
    skewness = np.divide(third, variance**1.5, out=np.zeros_like(third), where=variance > 0.0)
    trials = n_t + n_c
    return UnderHypothesis(np.asarray(np.sqrt(np.maximum(variance, 0.0) * trials / (trials - 1.0))), skewness)


def _boundary(excess: Callable[[Floats], Floats], inside: Floats, outside: Floats) -> Floats:
    """Where excess turns positive between a point inside and one outside, by bisection."""
    for _ in range(BISECTIONS if inside.size else 0):
        middle = (inside + outside) / 2.0
        within = excess(middle) <= 0.0
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return inside
