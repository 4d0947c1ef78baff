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
from scipy import special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates
from experiments.stats.core.contrast import linear_contrast
from experiments.stats.core.errors import InvalidEvidence, require
from experiments.stats.core.types import Adjustment, UnitSums

IMBALANCE = 0.001
"""P-value of the difference before exposure below which arms were not alike to begin with."""

FEWEST_UNITS = 30
"""Units of an arm, with a past, from which on a slope can be learnt."""

FEWEST_DIGITS = 1e-10
"""Variance over mean square below which a variance from sums is mostly rounding."""


@dataclass(frozen=True, slots=True)
class CovariateSums:
    """Sufficient statistics of one arm: units, the totals of (Y, D, X, W) and the 4 x 4 matrix of their products.

    Y over D is the metric, X over W the same metric before exposure; D and W are 1 for means. A unit without a past,
    as a new user, has X = W = 0, which counts it as one with the others' value; `without_past` is how many there are.
    """

    units: int
    without_past: int
    totals: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]

    @classmethod
    def of(
        cls, y: ArrayLike, x: ArrayLike, *, d: ArrayLike | None = None, w: ArrayLike | None = None
    ) -> "CovariateSums":
        """Sums from the totals of units after (y over d) and before exposure (x over w), one entry a unit.

        For a mean, w is whether a unit has a past, and not needed where all have one.

        Raises:
            InvalidEvidence: `covariate-lengths`, `covariate-not-finite`, `covariate-negative`.

        >>> sums = CovariateSums.of([1.0, 2.0, 5.0], [3.0, 4.0, 0.0], w=[True, True, False])
        >>> sums.without_past, sums.totals
        (1, (8.0, 3.0, 7.0, 2.0))
        """
        y, x = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
        d, w = (np.ones_like(y) if each is None else np.asarray(each, dtype=np.float64) for each in (d, w))
        same = y.shape == x.shape == d.shape == w.shape
        require(same, lambda: _evidence("covariate-lengths", "The metric and its past differ in length."))
        columns = np.stack([y, d, x, w])
        finite = bool(np.isfinite(columns).all())
        require(finite, lambda: _evidence("covariate-not-finite", "A total is infinite or no number."))
        counts = bool((columns[1::2] >= 0.0).all())
        require(counts, lambda: _evidence("covariate-negative", "A denominator, before or after, is below zero."))
        with np.errstate(over="ignore", invalid="ignore"):
            products, totals = columns @ columns.T, columns.sum(axis=1)
        without_past = int(np.count_nonzero((w == 0.0) & (x == 0.0)))
        return cls(y.size, without_past, tuple(totals.tolist()), tuple(tuple(row) for row in products.tolist()))

    @property
    def past(self) -> UnitSums:
        """The past alone, of the units that have one."""
        x, w = self.totals[2:]
        (xx, xw), (_, ww) = self.products[2][2:], self.products[3][2:]
        return UnitSums(self.units - self.without_past, x, w, xx, ww, xw)

    def __add__(self, other: "CovariateSums") -> "CovariateSums":
        totals = np.add(self.totals, other.totals).tolist()
        products = np.add(self.products, other.products).tolist()
        return CovariateSums(
            self.units + other.units,
            self.without_past + other.without_past,
            tuple(totals),
            tuple(tuple(row) for row in products),
        )


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Both arms with what was known before taken off, ready for every test; one entry each.

    `arms` say how much that is, of the candidate, the control and then the others, as given.

    `theta` is the slope that was used, `correlation` that of units' values before and after within arms, and
    `variance_reduction` the share of the variance of the difference that went. `imbalance_p_value` tests that the arms
    were alike before exposure; `share_without_past` is that of the units of both. Where adjusting would be wrong,
    `note` says why and both arms are as measured.
    """

    candidate: Estimates
    control: Estimates
    arms: tuple[Adjustment, ...]
    theta: float
    correlation: float
    variance_reduction: float
    imbalance_p_value: float
    share_without_past: float
    note: str


def adjust(candidate: CovariateSums, control: CovariateSums, *others: CovariateSums) -> Adjusted:
    """Take off what the past explains: m_arm - theta (x_arm - x_all), with variance v_y - 2 theta c_yx + theta² v_x.

    theta = Σ_arms S_yx / Σ_arms S_xx from sums centred within each arm, as in an analysis of covariance. For ratios the
    delta method's linear forms (Y - R D) / mean(D) stand for the values. With correlation rho the variance falls to
    1 - rho² of what it was, and to 1 - p rho² where only a share p of units has a past. Assumes that the past is from
    before the exposure. Arms that differed before are left as measured, and that must keep them from promotion too.
    `others` are further candidates: all arms share one theta and one x_all, so that any two can be compared.
    References: Deng et al. (WSDM 2013); Lin, Agnostic notes on regression adjustments (Ann. Appl. Stat. 2013).

    Raises:
        InvalidEvidence: `covariate-sums`, no data can have these sums.

    >>> rng = np.random.default_rng(1)
    >>> past = rng.normal(10, 2, (2, 500))
    >>> after = past + rng.normal(0, 1, (2, 500))
    >>> both = adjust(CovariateSums.of(after[1], past[1]), CovariateSums.of(after[0], past[0]))
    >>> round(both.correlation, 1), both.note
    (0.9, '')
    """
    sums = (candidate, control, *others)
    arms = tuple(_Linear.of(each) for each in sums)
    imbalance = _most_unlike(arms)
    note = _refusal(arms, imbalance)
    slope, correlation = (0.0, 0.0) if any(arm.note for arm in arms) else _slope(arms)
    theta = 0.0 if note else slope
    units = max(sum(each.units for each in sums), 1)
    whole = sum(arm.units * arm.past for arm in arms) / units
    pair = (arms[0].adjusted(theta, whole), arms[1].adjusted(theta, whole))
    return Adjusted(
        *pair,
        _adjustments(arms, theta, whole),
        theta,
        correlation,
        _reduction((arms[0], arms[1]), pair) if theta else 0.0,
        imbalance,
        sum(each.without_past for each in sums) / units,
        note,
    )


def imbalance_p_value(candidate: CovariateSums, control: CovariateSums) -> float:
    """Two-sided p-value for "both arms were alike before exposure": Welch's test of the past, for one look.

    Where it is tiny, assignment is broken or an earlier experiment left its mark, and no adjustment repairs that.
    1 where there is nothing to compare.

    Raises:
        InvalidEvidence: `covariate-sums`, no data can have these sums.

    >>> same = CovariateSums.of([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    >>> imbalance_p_value(same, same)
    1.0
    """
    return _imbalance((_Linear.of(candidate), _Linear.of(control)))


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
    interactions it is the analysis of covariance. Covariates that say the same share their slope.
    Reference: Lin, Agnostic notes on regression adjustments to experimental data (Ann. Appl. Stat. 2013).

    Raises:
        InvalidEvidence: `covariate-lengths`, `covariate-not-finite`, `covariate-arms`.

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
    _check_arms(arm, 2 + len(past))
    centred = [each - each.mean() for each in past]
    design = np.column_stack([np.ones_like(y), arm, *centred, *([arm * each for each in centred] * interactions)])
    model = OLS(y, design)
    fit, robust = model.fit(), model.fit(cov_type="HC2")
    slopes = tuple(float(slope) for slope in fit.params[2 : 2 + len(past)])
    return Regression(float(fit.params[1]), float(robust.bse[1]), float(fit.bse[1]), slopes)


@dataclass(frozen=True, slots=True)
class _Linear:
    """One arm's metric and its past as means of linear forms of units' totals; `note` says why there are none."""

    units: float
    value: float
    past: float
    variance: float
    past_variance: float
    covariance: float
    note: str

    @classmethod
    def of(cls, sums: CovariateSums) -> "_Linear":
        _check(sums)
        with np.errstate(all="ignore"):
            squares = np.asarray(sums.products, dtype=np.float64)
            means = np.divide(sums.totals, sums.units)
            moments = (squares - sums.units * np.outer(means, means)) / max(sums.units - 1, 0)
            value, past = means[0] / means[1], means[2] / means[3]
            after, before = np.array([1.0, -value]) / means[1], np.array([1.0, -past]) / means[3]
            # Each block by itself: a broken past must not break the metric, which is what is fallen back to.
            forms = (
                _form(after, moments[:2, :2], after),
                _form(before, moments[2:, 2:], before),
                _form(after, moments[:2, 2:], before),
            )
            sizes = np.diag(squares)[::2] / sums.units / means[1::2] ** 2
        note = _useless(sums, forms, sizes)
        # A past that no unit has moves nothing; the others' value must stay a number.
        known = float(past) if math.isfinite(past) else 0.0
        return cls(float(sums.units), float(value), known, *forms, note)

    def adjusted(self, theta: float, whole: float) -> Estimates:
        if not theta:
            return _estimates(self.units, self.value, self.variance)
        variance = self.variance - 2.0 * theta * self.covariance + theta**2 * self.past_variance
        return _estimates(self.units, self.value - theta * (self.past - whole), max(variance, 0.0))


_Arms = Sequence[_Linear]


def _form(left: Floats, moments: Floats, right: Floats) -> float:
    return float(left @ moments @ right)


def _estimates(units: float, value: float, variance: float) -> Estimates:
    return Estimates(*(np.array([each], dtype=np.float64) for each in (units, value, variance, units - 1.0)))


def _slope(arms: _Arms) -> tuple[float, float]:
    """Theta and the correlation, both within arms."""
    weights = np.array([arm.units - 1.0 for arm in arms])
    after, before, both = (
        float(weights @ [getattr(arm, name) for arm in arms]) for name in ("variance", "past_variance", "covariance")
    )
    return both / before, min(max(both / (math.sqrt(after) * math.sqrt(before)), -1.0), 1.0)


def _adjustments(arms: _Arms, theta: float, whole: float) -> tuple[Adjustment, ...]:
    """What adjusting does to each arm; all share the variance of theta x_all."""
    if not theta:
        return (Adjustment(0.0, 1.0, 0.0),) * len(arms)
    units = sum(arm.units for arm in arms)
    common = theta**2 * sum(arm.units * arm.past_variance for arm in arms) / units**2
    kept = (float(arm.adjusted(theta, whole).variance[0]) / arm.variance for arm in arms)
    return tuple(Adjustment(theta * (arm.past - whole), share, common) for arm, share in zip(arms, kept, strict=True))


def _reduction(arms: _Arms, adjusted: tuple[Estimates, Estimates]) -> float:
    before = sum(arm.variance / arm.units for arm in arms)
    return 1.0 - sum(float(arm.variance[0] / arm.units[0]) for arm in adjusted) / before


def _most_unlike(arms: _Arms) -> float:
    """The smallest p-value of a candidate beside the control, times the number of candidates (Bonferroni)."""
    control, candidates = arms[1], (arms[0], *arms[2:])
    return min(1.0, len(candidates) * min(_imbalance((candidate, control)) for candidate in candidates))


def _imbalance(arms: _Arms) -> float:
    if any(arm.note for arm in arms):
        return 1.0
    treated, untreated = (_estimates(arm.units, arm.past, arm.past_variance) for arm in arms)
    contrast = linear_contrast(treated, untreated)
    return float(2.0 * special.stdtr(contrast.degrees[0], -abs(contrast.z[0])))


def _refusal(arms: _Arms, imbalance: float) -> str:
    """Why the past must not be used; empty where it may."""
    if any(arm.note for arm in arms):
        return next(arm.note for arm in arms if arm.note)
    if imbalance < IMBALANCE:
        return (
            f"The arms differed before the exposure (p = {imbalance:.2g}): the assignment is not random or an earlier "
            "experiment carries over, which no adjustment repairs."
        )
    return ""


def _useless(sums: CovariateSums, forms: tuple[float, float, float], sizes: Floats) -> str:
    """Why nothing can be learnt from an arm's past; empty where it can."""
    if sums.units - sums.without_past < FEWEST_UNITS:
        return f"An arm has fewer than {FEWEST_UNITS} units with a past, too few to learn from it."
    if not (np.isfinite(forms).all() and np.isfinite(sizes).all()):
        return "A denominator is zero, or values are too large for their squares."
    if not forms[1] > FEWEST_DIGITS * sizes[1]:
        return "The past does not vary, or too little for its size, so it explains nothing."
    if not forms[0] > FEWEST_DIGITS * sizes[0]:
        return "The metric does not vary, or too little for its size, so there is nothing to explain."
    return ""


def _check(sums: CovariateSums) -> None:
    """Raise unless units are counts, and no sum is NaN or a square below zero."""
    counts = 0 <= sums.without_past <= sums.units
    shaped = np.shape(sums.totals) == (4,) and np.shape(sums.products) == (4, 4)
    sound = counts and shaped and not np.isnan(sums.totals).any() and bool((np.diag(sums.products) >= 0.0).all())
    require(sound, lambda: _evidence("covariate-sums", "No data can have these sums."))


def _check_arms(arm: Floats, fewest: int) -> None:
    """Raise unless both arms have units to spare for their slopes."""
    sizes = [int(np.count_nonzero(arm == side)) for side in (0.0, 1.0)]
    sound = min(sizes) >= fewest and sum(sizes) == arm.size
    detail = f"An arm has fewer than {fewest} units, or treatment is neither 0 nor 1."
    require(sound, lambda: _evidence("covariate-arms", detail))


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give one finite total for each unit, after and before exposure.")
