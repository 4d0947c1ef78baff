"""Against the margin: how much worse than accepted a candidate is, and what a look may conclude from it."""

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
    contrast = build(cells, factor=factor, shift=shift)
    return Contrast(sign * contrast.difference, contrast.standard_error, contrast.degrees)


def accepted_harm(cells: Cells) -> Floats:
    """How much worse than the control a candidate may be, in the metric's own unit."""
    return np.where(cells.relative_margin, cells.margin * cells.control_size, cells.margin)


def look_contrast(cells: Cells, *, factor: Floats, shift: Floats) -> Contrast:
    """The contrast with the variance for a planned look.

    It is Welch's, but a much smaller arm, or one in which nothing varies, gets the larger variance of both, an arm in
    which one unit may have much of the denominator pays for it, and where events are rare it is that of the score test,
    under the hypothesis that the contrast is zero.
    """
    arms = with_larger_variance(cells.candidate.at_looks, cells.control.at_looks)
    contrast = linear_contrast(*arms, factor=factor, shift=shift)
    places = np.flatnonzero(cells.rare & (factor > 0.0))
    if not places.size:
        return contrast
    error, degrees = contrast.standard_error.copy(), contrast.degrees.copy()
    error[places] = _score_error(cells, places, factor[places], shift[places])
    degrees[places] = np.inf
    return Contrast(contrast.difference, error, degrees)


def _score_error(cells: Cells, places: NDArray[np.intp], factor: Floats, shift: Floats) -> Floats:
    counts = cells.counts_at(places)
    by_ratio, by_difference = score.ratio_error(*counts, factor), score.difference_error(*counts, shift)
    return np.where(factor == 1.0, by_difference, by_ratio)


def observed_sign(cells: Cells) -> Floats:
    """Sign of the control's value; 1 for zero."""
    return np.where(cells.control.estimates.value < 0.0, -1.0, 1.0)


def sign_is_clear(cells: Cells) -> Flags:
    """Whether the control's value is more than two standard errors from zero, so that a share of it has a meaning."""
    control = cells.control.estimates
    return np.asarray(np.abs(control.value) > 2.0 * np.sqrt(control.variance / control.units), dtype=np.bool_)
