"""Against the margin: how much worse than accepted a candidate is, and what a look may conclude from it."""

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.stats.core import score
from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.contrast import Contrast, linear_contrast, with_larger_variance
from experiments.stats.judging.cells import Cells


class BuildContrast(Protocol):
    """Builds the contrast candidate - factor · control - shift of all cells with one rule for the variance."""

    def __call__(self, cells: Cells, *, factor: Floats, shift: Floats) -> Contrast:
        """Build it."""


def harm_contrast(cells: Cells, control_sign: Floats, build: BuildContrast) -> Contrast:
    """Harm minus accepted harm, above zero where the candidate is worse than its margin allows.

    For a metric that is better low: m_T - m_C - margin, and m_T - (1 + margin) m_C for a margin relative to |control|;
    mirrored for one that is better high. Being linear in both means it needs no variance of a ratio.
    `control_sign` is the sign of the control's true value, 1 or -1. Of a control without a single event, a relative
    margin is the same share of one event in a thousand: no data could show a rate to be near zero times anything. That
    is on the safe side, as a control whose true rate is higher accepts more.
    Reference: Schultzberg, Ankargren and Frånberg, Risk-aware product decisions (arXiv 2402.11609).
    """
    sign = cells.harm_sign
    factor = np.where(cells.relative_margin & ~cells.has_no_event, 1.0 + sign * cells.margin * control_sign, 1.0)
    accepted = np.where(cells.has_no_event, cells.margin * cells.control_size, 0.0)
    shift = sign * np.where(cells.relative_margin, accepted, cells.margin)
    return build(cells, factor=factor, shift=shift).mirrored(sign)


def accepted_harm(cells: Cells) -> Floats:
    """How much worse than the control a candidate may be, in the metric's own unit."""
    return np.where(cells.relative_margin, cells.margin * cells.control_size, cells.margin)


def look_contrast(cells: Cells, *, factor: Floats, shift: Floats) -> Contrast:
    """The contrast with the variance for a planned look.

    It is Welch's, but a much smaller arm, or one in which nothing varies, gets the larger variance of both, and an arm
    in which one unit may have much of the denominator pays for it. Where events are rare, and of events in arms of
    unlike sizes, it is that of the score test, under the hypothesis that the contrast is zero, and the skewness counts:
    an arm's own variance is small whenever its share of events is, and in a small arm nothing else is left (of 300
    candidates at their margin 7 to 9 % were promoted with 5 or 10 % of users). Of requests that is the least, as those
    of one unit may resemble each other more in one arm.
    """
    arms = with_larger_variance(cells.candidate.at_looks, cells.control.at_looks)
    contrast = with_common_part(linear_contrast(*arms, factor=factor, shift=shift), cells, factor)
    places = np.flatnonzero((cells.by_score | cells.unlike_counts) & (factor > 0.0))
    if not places.size:
        return contrast
    null = _under_hypothesis(cells, places, factor[places], shift[places])
    error, degrees = contrast.standard_error.copy(), contrast.degrees.copy()
    by_score = cells.by_score[places]
    error[places] = np.where(by_score, null.error, np.fmax(null.error, error[places]))
    degrees[places] = np.where(by_score, np.inf, degrees[places])
    skewness = np.zeros_like(error)
    skewness[places] = (
        _skewness(cells, places, null) * (null.error / np.where(error > 0.0, error, np.inf)[places]) ** 3.0
    )
    return Contrast(contrast.difference, error, degrees, skewness)


def with_common_part(contrast: Contrast, cells: Cells, factor: Floats) -> Contrast:
    """The contrast with (1 - factor)² of the variance of what adjusted values have in common.

    With the past x of all units, m_T - f m_C has (1 - f) theta x in it: nothing, but where a margin is relative.
    """
    if not cells.common_variance.any():
        return contrast
    square = contrast.standard_error**2 + (1.0 - factor) ** 2 * cells.common_variance
    return replace(contrast, standard_error=np.sqrt(square))


def _skewness(cells: Cells, places: NDArray[np.intp], null: score.UnderHypothesis) -> Floats:
    """Of rare events in arms of about one size nothing: what is left of it there, their jumps make up for."""
    known = cells.unlike_counts & ~cells.has_no_event
    return np.where(known[places], null.skewness, 0.0)


def _under_hypothesis(cells: Cells, places: NDArray[np.intp], factor: Floats, shift: Floats) -> score.UnderHypothesis:
    counts = cells.counts_at(places)
    by_ratio, by_difference = score.under_ratio(*counts, factor), score.under_difference(*counts, shift)
    is_difference = factor == 1.0
    return score.UnderHypothesis(
        np.where(is_difference, by_difference.error, by_ratio.error),
        np.where(is_difference, by_difference.skewness, by_ratio.skewness),
    )


def observed_sign(cells: Cells) -> Floats:
    """Sign of the control's value; 1 for zero."""
    return np.where(cells.control.estimates.value < 0.0, -1.0, 1.0)


def sign_is_clear(cells: Cells) -> Flags:
    """Whether the control's value is more than two standard errors from zero, so that a share of it has a meaning."""
    control = cells.control.estimates
    return np.asarray(np.abs(control.value) > 2.0 * np.sqrt(control.variance / control.units), dtype=np.bool_)
