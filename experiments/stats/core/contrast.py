"""Two arms become one contrast: a difference, its standard error and its degrees of freedom."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import Estimates

SMALLEST_TAIL = 1e-300
MOST_SKEWNESS, FARTHEST = 0.6, 4.0
BALANCED = 0.5
"""Smaller over larger arm; from here on Welch's variance is safe even for skewed metrics."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """`difference` in the metric's unit with its `standard_error`, and `degrees` of freedom.

    `skewness` is that of the difference under the hypothesis, where it is known.
    """

    difference: Floats
    standard_error: Floats
    degrees: Floats
    skewness: Floats | None = None

    @property
    def z(self) -> Floats:
        """Difference in standard errors, as a normal one with the same tail would be: x - g (x² - 1) / 6.

        Of counts in arms of unlike sizes the smaller arm's are skewed, and nothing in the larger one makes up for it.
        The correction is the first term of Cornish and Fisher's; up to 4 standard errors and a skewness of 0.6 it
        grows with x. Reference: Gart and Nam, Approximate interval estimation of the ratio of binomial parameters: a
        review and corrections for skewness (Biometrics 1988).

        >>> one = np.ones(1)
        >>> Contrast(-2.0 * one, one, np.inf * one, -0.2 * one).z.round(6).tolist()
        [-1.9]
        """
        found = self.difference / self.standard_error
        if self.skewness is None:
            return found
        skewness = np.clip(self.skewness, -MOST_SKEWNESS, MOST_SKEWNESS)
        return np.asarray(found - skewness / 6.0 * (np.clip(found, -FARTHEST, FARTHEST) ** 2 - 1.0))

    def mirrored(self, sign: Floats) -> "Contrast":
        """The same with the difference times a sign of 1 or -1."""
        skewness = None if self.skewness is None else sign * self.skewness
        return replace(self, difference=sign * self.difference, skewness=skewness)

    def with_error(self, error: Floats) -> "Contrast":
        """The same with another standard error, whose further part is not skewed."""
        skewness = None if self.skewness is None else self.skewness * (self.standard_error / error) ** 3.0
        return replace(self, standard_error=error, skewness=skewness)

    @property
    def normal_z(self) -> Floats:
        """The normal deviate with the tail probability that z has in Student's distribution; 37 at the most."""
        tail = np.maximum(special.stdtr(self.degrees, -np.abs(self.z)), SMALLEST_TAIL)
        return np.asarray(np.sign(self.z) * -special.ndtri(tail), dtype=np.float64)

    @property
    def information(self) -> Floats:
        """1 / standard error²."""
        return self.standard_error**-2.0

    @property
    def varies(self) -> Flags:
        """Whether there is a standard error to hold the difference against: some, and not infinitely much."""
        return np.asarray(np.isfinite(self.information) & (self.information > 0.0), dtype=np.bool_)


def linear_contrast(
    candidate: Estimates, control: Estimates, *, factor: ArrayLike = 1.0, shift: ArrayLike = 0.0
) -> Contrast:
    """The contrast m_T - factor · m_C - shift, with variance v_T/n_T + factor² v_C/n_C.

    Degrees of freedom by Welch and Satterthwaite. Assumes independent arms.
    Reference: Welch, The generalization of Student's problem (Biometrika 1947).

    >>> one = np.ones(1)
    >>> arm_t = Estimates(80 * one, 22.3688375 * one, 29.345600947943037 * one, 79 * one)
    >>> arm_c = Estimates(80 * one, 23.6683875 * one, 39.9086255568038 * one, 79 * one)
    >>> contrast = linear_contrast(arm_t, arm_c)
    >>> round(float(contrast.z[0]), 9), round(float(contrast.degrees[0]), 6)
    (-1.396737668, 154.407859)
    """
    factor, shift = np.asarray(factor, dtype=np.float64), np.asarray(shift, dtype=np.float64)
    from_candidate = candidate.variance / candidate.units
    from_control = factor**2 * control.variance / control.units
    total = from_candidate + from_control
    # Parts of the whole variance, as the squares of variances soon leave the range of floats.
    part = np.divide(from_candidate, total, out=np.zeros_like(total), where=total > 0.0)
    spread = part**2 / candidate.degrees + (1.0 - part) ** 2 / control.degrees
    degrees = np.divide(1.0, spread, out=np.full_like(total, np.inf), where=(spread != 0.0) & (total > 0.0))
    return Contrast(candidate.value - factor * control.value - shift, np.sqrt(total), degrees)


def with_pooled_variance(candidate: Estimates, control: Estimates, pooled: Estimates) -> tuple[Estimates, Estimates]:
    """Give both arms the variance of all units together, as the hypothesis of no difference says."""
    return (
        replace(candidate, variance=pooled.variance, degrees=pooled.degrees),
        replace(control, variance=pooled.variance, degrees=pooled.degrees),
    )


def with_larger_variance(candidate: Estimates, control: Estimates) -> tuple[Estimates, Estimates]:
    """Give a much smaller arm, and one in which nothing varies yet, the larger of both variances.

    A small arm of a skewed metric has often not seen its rare large values yet, and its own variance then says too
    much: with 5 % of units, Welch's interval was wrong in half of the runs.
    """
    larger = np.maximum(candidate.variance, control.variance)
    small_candidate = (candidate.units < BALANCED * control.units) | (candidate.variance == 0.0)
    small_control = (control.units < BALANCED * candidate.units) | (control.variance == 0.0)
    return (
        replace(candidate, variance=np.where(small_candidate, larger, candidate.variance)),
        replace(control, variance=np.where(small_control, larger, control.variance)),
    )


def lower_tail(contrast: Contrast) -> Floats:
    """One-sided p-value for "the contrast is below zero": P(t ≤ difference / standard error)."""
    return np.asarray(special.stdtr(contrast.degrees, contrast.z), dtype=np.float64)


def in_student(critical: Floats, degrees: Floats) -> Floats:
    """Student's deviate with the tail probability that a normal one has.

    >>> round(float(in_student(np.array(1.959963984540054), np.array(10.0))), 4)
    2.2281
    """
    return np.asarray(-special.stdtrit(degrees, special.ndtr(-critical)), dtype=np.float64)


def two_sided_critical(degrees: Floats, alpha: ArrayLike) -> Floats:
    """Student's 1 - alpha / 2 quantile.

    >>> round(float(two_sided_critical(np.array(np.inf), 0.05)), 6)
    1.959964
    """
    return np.asarray(special.stdtrit(degrees, 1.0 - np.asarray(alpha) / 2.0), dtype=np.float64)
