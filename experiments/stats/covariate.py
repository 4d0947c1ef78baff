"""CUPED: what a unit did before it was exposed explains much of what it does after, and need not count as chance.

The metric is measured for each unit before its first exposure too, and what both have in common is taken off. That
changes no expectation, as the arms do not differ before exposure, and narrows every interval.
Reference: Deng, Xu, Kohavi and Walker, Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data (WSDM 2013).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.arrays import Floats
from experiments.stats.columns import Estimates
from experiments.stats.contrast import linear_contrast, lower_tail
from experiments.stats.errors import InvalidEvidence, require

IMBALANCE = 0.001
"""P-value of the difference before exposure below which arms were not alike to begin with."""

FEWEST_UNITS = 30


@dataclass(frozen=True, slots=True)
class CovariateSums:
    """Sufficient statistics of one arm: units, the totals of (Y, D, X, W) and the 4 x 4 matrix of their products.

    Y over D is the metric, X over W the same metric before exposure; D and W are 1 for means. A unit without a past
    has X = W = 0 for a ratio, and the mean of the others for a mean.
    """

    units: int
    totals: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]

    @classmethod
    def of(
        cls, y: ArrayLike, x: ArrayLike, *, d: ArrayLike | None = None, w: ArrayLike | None = None
    ) -> "CovariateSums":
        """Sums from the totals of units after (y over d) and before exposure (x over w), one entry a unit.

        Raises:
            InvalidEvidence: `covariate-lengths`, `covariate-not-finite`.

        >>> CovariateSums.of([1.0, 2.0], [3.0, 4.0]).totals
        (3.0, 2.0, 7.0, 2.0)
        """
        y, x = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
        d, w = (np.ones_like(y) if each is None else np.asarray(each, dtype=np.float64) for each in (d, w))
        same = y.shape == x.shape == d.shape == w.shape
        require(same, lambda: _evidence("covariate-lengths", "The metric and its past differ in length."))
        columns = np.stack([y, d, x, w])
        finite = bool(np.isfinite(columns).all())
        require(finite, lambda: _evidence("covariate-not-finite", "A total is infinite or no number."))
        products = columns @ columns.T
        return cls(y.size, tuple(columns.sum(axis=1).tolist()), tuple(tuple(row) for row in products.tolist()))

    def __add__(self, other: "CovariateSums") -> "CovariateSums":
        totals = np.add(self.totals, other.totals).tolist()
        products = np.add(self.products, other.products).tolist()
        return CovariateSums(self.units + other.units, tuple(totals), tuple(tuple(row) for row in products))


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Both arms with what was known before taken off, ready for every test; one entry each.

    `theta` is the slope that was used, `correlation` that of units' values before and after within arms, and
    `variance_reduction` the share of the variance of the difference that went. `imbalance_p_value` tests that the arms
    were alike before exposure. Where adjusting would be wrong, `note` says why and both arms are as measured.
    """

    candidate: Estimates
    control: Estimates
    theta: float
    correlation: float
    variance_reduction: float
    imbalance_p_value: float
    note: str


def adjust(candidate: CovariateSums, control: CovariateSums) -> Adjusted:
    """Take off what the past explains: m_arm - theta (x_arm - x_all), with variance v_y - 2 theta c_yx + theta² v_x.

    theta = Σ_arms S_yx / Σ_arms S_xx from sums centred within each arm, as in an analysis of covariance. For ratios the
    delta method's linear forms (Y - R D) / mean(D) stand for the values. With correlation rho the variance falls to
    1 - rho² of what it was. Assumes that the past is from before the exposure.
    References: Deng et al. (WSDM 2013); Lin, Agnostic notes on regression adjustments (Ann. Appl. Stat. 2013).

    >>> rng = np.random.default_rng(1)
    >>> past = rng.normal(10, 2, (2, 500))
    >>> after = past + rng.normal(0, 1, (2, 500))
    >>> both = adjust(CovariateSums.of(after[1], past[1]), CovariateSums.of(after[0], past[0]))
    >>> round(both.correlation, 1), both.note
    (0.9, '')
    """
    arms = [_Linear.of(sums) for sums in (candidate, control)]
    weights = [arm.units - 1.0 for arm in arms]
    with np.errstate(all="ignore"):
        explained = sum(weight * arm.covariance for weight, arm in zip(weights, arms, strict=True))
        spread = sum(weight * arm.past_variance for weight, arm in zip(weights, arms, strict=True))
        theta = float(np.divide(explained, spread))
    note = _refusal(arms, theta)
    used = 0.0 if note else theta
    before = sum(arm.variance / max(arm.units, 1.0) for arm in arms)
    whole = sum(arm.units * arm.past for arm in arms) / max(sum(arm.units for arm in arms), 1.0)
    adjusted = [arm.adjusted(used, whole) for arm in arms]
    pairs = zip(adjusted, arms, strict=True)
    after = sum(float(estimates.variance[0]) / max(arm.units, 1.0) for estimates, arm in pairs)
    return Adjusted(
        adjusted[0],
        adjusted[1],
        used,
        _correlation(arms, weights),
        1.0 - after / before if before > 0.0 else 0.0,
        imbalance_p_value(candidate, control),
        note,
    )


def imbalance_p_value(candidate: CovariateSums, control: CovariateSums) -> float:
    """Two-sided p-value for "both arms were alike before exposure": Welch's test of the past.

    Where it is tiny, assignment is broken or an earlier experiment left its mark, and no adjustment repairs that.
    1 where there is nothing to compare.

    >>> same = CovariateSums.of([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    >>> imbalance_p_value(same, same)
    1.0
    """
    arms = [_Linear.of(sums) for sums in (candidate, control)]
    if any(arm.units < 2 or not arm.past_variance > 0.0 for arm in arms):
        return 1.0
    estimates = [_estimates(arm.units, arm.past, arm.past_variance) for arm in arms]
    tail = float(lower_tail(linear_contrast(*estimates))[0])
    return 2.0 * min(tail, 1.0 - tail)


@dataclass(frozen=True, slots=True)
class Regression:
    """The candidate's effect from a regression on what was known before; `standard_error` is robust (HC2)."""

    effect: float
    standard_error: float
    classical_standard_error: float
    slopes: tuple[float, ...]


def regression(
    y: ArrayLike, treated: ArrayLike, covariates: Sequence[ArrayLike], *, interactions: bool = True
) -> Regression:
    """Effect of treatment on y, given covariates from before exposure; one entry a unit, any number of covariates.

    y ~ 1 + T + X + T·X with centred X (Lin's estimator), whose HC2 error holds whatever the true relation is; without
    interactions it is the analysis of covariance.
    Reference: Lin, Agnostic notes on regression adjustments to experimental data (Ann. Appl. Stat. 2013).

    Raises:
        InvalidEvidence: `covariate-lengths`, `covariate-not-finite`.

    >>> rng = np.random.default_rng(1)
    >>> past, treated = rng.normal(0, 1, 400), np.arange(400) % 2
    >>> found = regression(past + treated + rng.normal(0, 0.1, 400), treated, [past])
    >>> round(found.effect, 1)
    1.0
    """
    # The import alone takes a second, and only this function needs it.
    from statsmodels.regression.linear_model import OLS

    y, arm = np.asarray(y, dtype=np.float64), np.asarray(treated, dtype=np.float64)
    past = [np.asarray(each, dtype=np.float64) for each in covariates]
    same = all(each.shape == y.shape for each in (arm, *past))
    require(same, lambda: _evidence("covariate-lengths", "The metric and its past differ in length."))
    finite = all(bool(np.isfinite(each).all()) for each in (y, arm, *past))
    require(finite, lambda: _evidence("covariate-not-finite", "A value is infinite or no number."))
    centred = [each - each.mean() for each in past]
    design = np.column_stack([np.ones_like(y), arm, *centred, *([arm * each for each in centred] * interactions)])
    model = OLS(y, design)
    fit, robust = model.fit(), model.fit(cov_type="HC2")
    slopes = tuple(float(slope) for slope in fit.params[2 : 2 + len(past)])
    return Regression(float(fit.params[1]), float(robust.bse[1]), float(fit.bse[1]), slopes)


@dataclass(frozen=True, slots=True)
class _Linear:
    """One arm's metric and its past as means of linear forms of units' totals."""

    units: float
    value: float
    past: float
    variance: float
    past_variance: float
    covariance: float

    @classmethod
    def of(cls, sums: CovariateSums) -> "_Linear":
        with np.errstate(all="ignore"):
            means = np.divide(sums.totals, sums.units)
            moments = np.asarray(sums.products) - sums.units * np.outer(means, means)
            moments = moments / (sums.units - 1.0) if sums.units > 1 else np.full((4, 4), np.nan)
            value, past = means[0] / means[1], means[2] / means[3]
            after = np.array([1.0, -value, 0.0, 0.0]) / means[1]
            before = np.array([0.0, 0.0, 1.0, -past]) / means[3]
        return cls(
            float(sums.units),
            float(value),
            float(past),
            _form(after, moments, after),
            _form(before, moments, before),
            _form(after, moments, before),
        )

    def adjusted(self, theta: float, whole: float) -> Estimates:
        if not theta:
            return _estimates(self.units, self.value, self.variance)
        variance = self.variance - 2.0 * theta * self.covariance + theta**2 * self.past_variance
        return _estimates(self.units, self.value - theta * (self.past - whole), max(variance, 0.0))


def _form(left: Floats, moments: Floats, right: Floats) -> float:
    return float(left @ moments @ right)


def _estimates(units: float, value: float, variance: float) -> Estimates:
    return Estimates(*(np.array([each], dtype=np.float64) for each in (units, value, variance, units - 1.0)))


def _refusal(arms: Sequence[_Linear], theta: float) -> str:
    """Why the past must not be used; empty where it may."""
    if any(arm.units < FEWEST_UNITS for arm in arms):
        return f"An arm has fewer than {FEWEST_UNITS} units, too few to learn from their past."
    if not math.isfinite(theta):
        return "The past does not vary, so it explains nothing."
    return ""


def _correlation(arms: Sequence[_Linear], weights: Sequence[float]) -> float:
    after, before, both = (
        sum(weight * getattr(arm, name) for weight, arm in zip(weights, arms, strict=True))
        for name in ("variance", "past_variance", "covariance")
    )
    return both / math.sqrt(after * before) if after > 0.0 and before > 0.0 else 0.0


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give one finite total for each unit, after and before exposure.")
