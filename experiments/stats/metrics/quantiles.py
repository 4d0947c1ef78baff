"""Quantiles of requests, clustered by unit: one user sends many requests, and they resemble each other."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.types import MetricType, UnitSums
from experiments.stats.metrics import mean
from experiments.stats.metrics.kind import MetricKind, Source

USUAL_WIDTH = 3.919927969080108
"""Width of a normal 95 % interval in standard errors."""

FAR = 4.0
"""Standard errors of the share below a quantile within which a rollout that is watched may see it."""
MOST_DISTINCT = 0.5
"""Values of which fewer than so many differ from their neighbour are discrete."""

FEWEST_UNITS = 50
UNITS_BEYOND = 2.0
EFFECTIVE_UNITS_BEYOND = 1.0
"""Units, all and effective ones, on the thinner side of a quantile from which on its interval covers as it says."""


@dataclass(frozen=True, slots=True)
class QuantileEstimate:
    """One arm's quantile of the values of its requests, in the values' unit.

    `low` and `high` are the ends of its interval and `standard_error` is their half distance in the deviates that they
    were made with. `degrees` are those of the clustered variance, few where few users send most requests.
    `design_effect` is how many requests say as much as one independent request. `note` says why there are too few data
    for the interval to be trusted; it is empty where there are enough. `step` is the widest gap between neighbouring
    values about the quantile: values that repeat make it jump by so much.
    """

    level: float
    value: float
    standard_error: float
    low: float
    high: float
    units: int
    requests: int
    degrees: float
    design_effect: float
    note: str
    step: float = 0.0

    def as_estimates(self) -> Estimates:
        """The estimate as the tests take it, with the standard error as that of a mean over units."""
        variance = self.standard_error**2 * self.units
        columns = (self.units, self.value, variance, self.degrees)
        return Estimates(*(np.array([each], dtype=np.float64) for each in columns))

    def as_sums(self) -> UnitSums:
        """Sums of a mean over units with the same value and interval, so that the judge needs no other type.

        The judge takes it for normal. Where values repeat it is not: with a tenth of all requests slow, the 90 %
        quantile is fast or slow by chance, and its interval often neither. So a step is added to the standard error.
        """
        units, value = self.units, self.value
        error = math.hypot((self.high - self.low) / USUAL_WIDTH, self.step)
        squares = (units - 1) * error**2 * units + units * value**2
        return UnitSums(units, units * value, units, squares, units, units * value)


def clustered_quantile(
    values: ArrayLike, units: ArrayLike, level: float, *, alpha: float = 0.05, normal_limit: bool = False
) -> QuantileEstimate:
    """Quantile of one arm's requests with an interval that knows that requests of one unit belong together.

    `values` and `units` have one entry a request; units are any labels. With S_i of unit i's N_i requests at or below
    the sample quantile, the variance of the share below is v = K/(K-1) Σ (S_i - q N_i - mean)² / n², and the
    interval runs between the sample quantiles at q - c sqrt(v) and q + c sqrt(v). Needs no density. c is Student's
    deviate with (Σ r²)² / Σ r⁴ degrees for r = S_i - q N_i, after Satterthwaite, as a few busy users may hold most of
    the variance; with `normal_limit` it is the normal one, as in the paper. Assumes independent units; that is trusted
    from 2 / (1 - q) units and 1 / (1 - q) effective ones, (Σ N)² / Σ N², on.
    References: Deng, Knoblich and Lu, Applying the delta method in metric analytics (KDD 2018), section 4;
    Satterthwaite, An approximate distribution of estimates of variance components (Biometrics 1946).

    Raises:
        InvalidArgument: `level-range`, `alpha-range`.
        InvalidEvidence: `values-lengths`, `values-none`, `values-not-finite`.

    >>> estimate = clustered_quantile([1.0, 2.0, 3.0, 4.0] * 100, np.repeat(np.arange(100), 4), 0.5)
    >>> estimate.value, estimate.low, estimate.high
    (2.0, 2.0, 2.0)
    """
    values, codes = _checked(values, units, level, alpha)
    ordered = np.sort(values)
    value = _sample_quantile(ordered, level)
    residuals = unit_residuals(values, codes, level, value)
    variance = residual_variance(residuals, values.size)
    degrees = math.inf if normal_limit else residual_degrees(residuals)
    critical = -float(special.stdtrit(degrees, alpha / 2.0))
    half = critical * math.sqrt(variance)
    low, high = _sample_quantile(ordered, level - half), _sample_quantile(ordered, level + half)
    design_effect = variance * values.size / (level * (1.0 - level))
    error = (high - low) / (2.0 * critical)
    note, step = _note(level, np.bincount(codes)), _widest_step(ordered, level, math.sqrt(variance))
    counts = (residuals.size, values.size)
    return QuantileEstimate(level, value, error, low, high, *counts, degrees, design_effect, note, step)


def paired_quantile_difference(first: ArrayLike, second: ArrayLike, units: ArrayLike, level: float) -> Estimates:
    """Quantile of `second` minus that of `first`, where both are measured on the same requests, as in shadow mode.

    Both residuals S_i - q N_i of a unit, divided by the density at the quantile, are its influence on the quantiles;
    the variance is that of the difference of influences, so what both have in common cancels. The density follows from
    each interval's width. Assumes independent units.
    Reference: Deng, Knoblich and Lu (KDD 2018); van der Vaart, Asymptotic Statistics (1998), example 20.5.

    Raises:
        InvalidArgument: `level-range`.
        InvalidEvidence: `values-lengths`, `values-none`, `values-not-finite`.

    >>> rng = np.random.default_rng(1)
    >>> slow = rng.lognormal(5, 1, 4000)
    >>> both = paired_quantile_difference(slow, slow + 10.0, np.arange(4000) // 4, 0.9)
    >>> round(float(both.value[0]), 6), float(both.variance[0]) < 1e-6
    (10.0, True)
    """
    influences, difference = [], 0.0
    for sign, measured in ((-1.0, first), (1.0, second)):
        estimate = clustered_quantile(measured, units, level)
        values, codes = _checked(measured, units, level, 0.05)
        residuals = unit_residuals(values, codes, level, estimate.value)
        deviation = math.sqrt(residual_variance(residuals, values.size))
        stretch = estimate.standard_error / deviation if deviation else 0.0
        influences.append(-sign * stretch * residuals)
        difference += sign * estimate.value
    together = influences[0] + influences[1]
    variance = residual_variance(together, np.size(units)) * together.size
    columns = (together.size, difference, variance, together.size - 1)
    return Estimates(*(np.array([each], dtype=np.float64) for each in columns))


def exceedance(values: ArrayLike, units: ArrayLike, threshold: float) -> UnitSums:
    """Sums of the share of requests above a threshold: a ratio metric, requests above over requests.

    The way to gate on a quantile: with the threshold frozen at the control's quantile before the start, the share
    above it is 1 - q unless the candidate is slower; it needs few data and no density, and may be looked at any time.

    Raises:
        InvalidArgument: `threshold-range`.
        InvalidEvidence: `values-lengths`, `values-none`, `values-not-finite`.

    >>> exceedance([100.0, 900.0, 950.0], ["ann", "ann", "bob"], 500.0)
    UnitSums(units=2, sum_y=2.0, sum_d=3.0, sum_yy=2.0, sum_dd=5.0, sum_yd=3.0)
    """
    require(math.isfinite(threshold), lambda: _argument("threshold-range", f"The threshold is {threshold}."))
    values, codes = _checked(values, units, 0.5, 0.05)
    above = np.bincount(codes, weights=values > threshold)
    return UnitSums.of(above, np.bincount(codes).astype(np.float64))


def unit_residuals(values: Floats, codes: NDArray[np.intp], level: float, value: float) -> Floats:
    """S_i - q N_i of each unit: its requests at or below the value, less those expected."""
    return np.asarray(np.bincount(codes, weights=(values <= value) - level), dtype=np.float64)


def residual_variance(residuals: Floats, requests: int) -> float:
    """Variance of the share at or below the quantile: K/(K-1) Σ (r_i - mean)² / n²; infinite for a single unit."""
    if residuals.size < 2:
        return math.inf
    return float(residuals.var(ddof=1)) * residuals.size / requests**2


def residual_degrees(residuals: Floats) -> float:
    """Satterthwaite's degrees of freedom of a sum of squares: (Σ r²)² / Σ r⁴, at least 1."""
    squares = residuals**2
    fourth = float(squares @ squares)
    return max(float(squares.sum()) ** 2 / fourth, 1.0) if fourth > 0.0 else max(residuals.size - 1.0, 1.0)


def _sample_quantile(ordered: Floats, level: float) -> float:
    """The inverse of the empirical distribution, clipped to the values that were seen."""
    return float(ordered[_place(ordered, level)])


def _place(ordered: Floats, level: float) -> int:
    place = math.ceil(round(min(level, 1.0) * ordered.size, 9)) - 1 if level > 0.0 else 0
    return min(max(place, 0), ordered.size - 1)


def _widest_step(ordered: Floats, level: float, deviation: float) -> float:
    """The widest gap between neighbours as far from the quantile as chance may take it, if any value there repeats."""
    about = ordered[_place(ordered, level - FAR * deviation) : _place(ordered, level + FAR * deviation) + 1]
    gaps = np.diff(about)
    return float(gaps.max()) if gaps.size and np.count_nonzero(gaps) < MOST_DISTINCT * gaps.size else 0.0


def _note(level: float, counts: NDArray[np.intp]) -> str:
    """Judged by numbers of requests alone: asking the values would let those samples through that look too certain."""
    thin, units = min(level, 1.0 - level) * (1.0 + 1e-9), counts.size
    if units < FEWEST_UNITS or units * thin < UNITS_BEYOND:
        return f"{units} units are too few for the {level:.0%} quantile."
    if float(counts.sum()) ** 2 / float(counts @ counts) * thin < EFFECTIVE_UNITS_BEYOND:
        return f"A few units send most requests: too little is known beyond the {level:.0%} quantile."
    return ""


def _checked(values: ArrayLike, units: ArrayLike, level: float, alpha: float) -> tuple[Floats, NDArray[np.intp]]:
    require(0.0 < level < 1.0, lambda: _argument("level-range", f"The level is {level}."))
    require(0.0 < alpha < 1.0, lambda: _argument("alpha-range", f"alpha is {alpha}."))
    values, labels = np.asarray(values, dtype=np.float64), np.asarray(units)
    require(values.shape == labels.shape, lambda: _evidence("values-lengths", "Values and units differ in length."))
    require(values.size > 0, lambda: _evidence("values-none", "There is no request."))
    finite = bool(np.isfinite(values).all())
    require(finite, lambda: _evidence("values-not-finite", "A value is infinite or no number."))
    return values, np.unique(labels, return_inverse=True)[1]


def _argument(code: str, detail: str) -> InvalidArgument:
    return InvalidArgument(code, detail, next_step="Give a value between 0 and 1.")


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give one finite value and the unit's label for each request.")


KIND = MetricKind(
    MetricType.QUANTILE,
    "Quantile: of a request's value",
    # Its evidence comes as the sums of a mean with the same value and standard error.
    mean.ESTIMATOR,
    Source.VALUES,
    is_scaled=True,
    few="Too few users or requests in a variant for this quantile.",
)
