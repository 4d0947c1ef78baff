"""Intervals for all times at once of values between 0 and 1, exact for any number of units.

For rates and for heavy-tailed metrics that are capped and divided by the cap, where a normal limit is not good enough.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from experiments.stats.core.arrays import Floats

GRID = 1000
LARGEST_BET = 0.5

EDGE = 1e-12
"""Distance from 0 and 1 within which no rate is told apart from them."""


def rate_interval(events: float, trials: int, alpha: float, *, planned_trials: float) -> tuple[float, float]:
    """Interval of a rate that holds at every number of trials: where the beta-binomial mixture stays below 1/alpha.

    Any number of events up to all trials has one, with an end at 0 or 1 where nothing is left out there. It is
    narrowest around `planned_trials`. Assumes independent trials.
    Reference: Howard, Ramdas, McAuliffe and Sekhon, Time-uniform confidence sequences (Ann. Stat. 2021), prop. 7.

    >>> low, high = rate_interval(30, 100, 0.05, planned_trials=1000)
    >>> round(low, 6), round(high, 6)
    (0.151618, 0.491193)
    """

    def excess(p: float) -> float:
        log_e = rate_log_e(events, trials, p, planned_trials=planned_trials, alpha=alpha)
        return log_e + float(np.log(alpha))

    inside = min(max(events / trials, EDGE), 1.0 - EDGE)
    # Few events, or few that are none, may leave no rate out on their side.
    low = float(optimize.brentq(excess, EDGE, inside)) if excess(EDGE) > 0.0 else 0.0
    high = float(optimize.brentq(excess, inside, 1.0 - EDGE)) if excess(1.0 - EDGE) > 0.0 else 1.0
    return low, high


def rate_log_e(events: float, trials: int, rate: float, *, planned_trials: float, alpha: float = 0.05) -> float:
    """Log e-value against "the rate is `rate`": log B(a+s, b+n-s) - log B(a, b) - s log p - (n-s) log(1-p).

    The mixture is Beta(a, b) with mean p and a + b = ρ / (p (1-p)), where ρ tunes it to the planned trials. A
    rate of 0 or 1 is refuted by one event that it does not allow, and else as true as any.

    >>> round(rate_log_e(62, 100, 0.5, planned_trials=100), 4)
    1.4735
    """
    spread = rate * (1.0 - rate)
    if spread == 0.0:
        return 0.0 if events == rate * trials else float(np.inf)
    # An approximation of `anytime.tuned_ratio`, as in the paper's own figures.
    wanted = 2.0 * np.log(1.0 / alpha)
    tuning = max(spread * planned_trials / (wanted + np.log1p(wanted)) - spread, 1e-3 * spread)
    a, b = tuning / (1.0 - rate), tuning / rate
    mixture = special.betaln(a + events, b + trials - events) - special.betaln(a, b)
    return float(mixture - events * np.log(rate) - (trials - events) * np.log1p(-rate))


def betting_interval(values: ArrayLike, alpha: float) -> tuple[Floats, Floats]:
    """Ends of the interval of the mean of values in [0, 1] after each value, to within 1/1000.

    Against each mean m two gamblers bet, one on larger values and one on smaller, each with half of the capital and
    with stakes that follow past values only; a mean that ever made one of them 1/alpha times as rich is left out.
    Reference: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (JRSS B 2024).

    >>> low, high = betting_interval([0.5, 0.6, 0.4, 0.55] * 20, 0.05)
    >>> round(float(low[-1]), 3), round(float(high[-1]), 3)
    (0.465, 0.558)
    """
    values = np.asarray(values, dtype=np.float64)
    means = np.linspace(0.0, 1.0, GRID + 1)[:, np.newaxis]
    bets = _bets(values, alpha / 2.0)
    with np.errstate(divide="ignore"):
        up = np.log1p(np.minimum(bets, LARGEST_BET / means) * (values - means)).cumsum(axis=1)
        down = np.log1p(-np.minimum(bets, LARGEST_BET / (1.0 - means)) * (values - means)).cumsum(axis=1)
    inside = np.maximum(up, down) <= np.log(2.0 / alpha)
    low = (np.argmax(inside, axis=0) - 1) / GRID
    high = (GRID - np.argmax(inside[::-1], axis=0) + 1) / GRID
    return _only_narrower(low, high)


def empirical_bernstein_interval(values: ArrayLike, alpha: float) -> tuple[Floats, Floats]:
    """Ends of the interval of the mean of values in [0, 1] after each value, in closed form.

    (Σ λ x ± (log(2/alpha) + Σ (x - mean before)² ψ(λ))) / Σ λ with ψ(λ) = -log(1-λ) - λ and predictable λ ≤ ½.
    Wider than `betting_interval` and faster.
    Reference: Waudby-Smith and Ramdas (2024), theorem 2.

    >>> low, high = empirical_bernstein_interval([0.5, 0.6, 0.4, 0.55] * 20, 0.05)
    >>> round(float(low[-1]), 3), round(float(high[-1]), 3)
    (0.417, 0.608)
    """
    values = np.asarray(values, dtype=np.float64)
    return _only_narrower(_bernstein_low(values, alpha / 2.0), 1.0 - _bernstein_low(1.0 - values, alpha / 2.0))


def _only_narrower(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """What was left out once stays out: the interval holds at all times at once."""
    return np.maximum.accumulate(np.maximum(low, 0.0)), np.minimum.accumulate(np.minimum(high, 1.0))


def _bernstein_low(values: Floats, alpha: float) -> Floats:
    bets = np.minimum(_bets(values, alpha), LARGEST_BET)
    before = np.concatenate(([0.0], np.cumsum(values)[:-1] / np.arange(1, values.size)))
    spent = np.cumsum((values - before) ** 2 * (-np.log1p(-bets) - bets))
    total = np.cumsum(bets)
    return np.asarray((np.cumsum(bets * values) + np.log(alpha) - spent) / total, dtype=np.float64)


def _bets(values: Floats, alpha: float) -> Floats:
    """Stakes from the past: sqrt(2 log(1/alpha) / (variance so far · t log(1+t))), with one made-up value of ½ ± ½."""
    count = np.arange(1, values.size + 1)
    mean = (0.5 + np.cumsum(values)) / (count + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (count + 1)
    known = np.concatenate(([0.25], variance[:-1]))
    return np.asarray(np.sqrt(2.0 * np.log(1.0 / alpha) / (known * count * np.log1p(count))), dtype=np.float64)
