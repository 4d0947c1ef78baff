"""The three intervals of each cell: at a planned look, relative to the control, and at all times at once."""

import numpy as np

from experiments.stats import anytime, fieller, score
from experiments.stats.cells import Cells
from experiments.stats.columns import Floats
from experiments.stats.contrast import two_sided_critical, with_larger_variance
from experiments.stats.harm import effect_scales, is_burnt_in, monitoring_contrast
from experiments.stats.noninferiority import look_contrast
from experiments.stats.types import JudgePlan

Ends = tuple[Floats, Floats]

LARGEST_LIFT = 1e6
"""A relative interval that reaches beyond this many times the control is unbounded."""


def planned(cells: Cells, alpha: float) -> Ends:
    """Ends of the 1 - alpha interval of candidate - control: Welch's, and the score test's where events are rare.

    NaN where nothing was measured or nothing varied.
    """
    contrast = look_contrast(cells, factor=np.ones_like(cells.margin), shift=np.zeros_like(cells.margin))
    half = two_sided_critical(contrast.degrees, alpha) * contrast.standard_error
    known = cells.measured & ((contrast.standard_error > 0.0) | cells.rare)
    low, high = np.where(known, contrast.difference - half, np.nan), np.where(known, contrast.difference + half, np.nan)
    places = np.flatnonzero(cells.rare & known)
    low[places], high[places] = score.difference_interval(*cells.counts_at(places), _normal_critical(alpha))
    return low, high


def relative(cells: Cells, alpha: float) -> Ends:
    """Ends of the 1 - alpha interval of (candidate - control) / |control|, NaN where it is unbounded.

    Fieller's, and the score test's where events are rare, so that a relative margin lies in it exactly when the test of
    that margin cannot reject.
    """
    candidate, control = with_larger_variance(cells.candidate.estimates, cells.control.estimates)
    degrees = look_contrast(cells, factor=np.ones_like(cells.margin), shift=np.zeros_like(cells.margin)).degrees
    low, high = fieller.relative_interval(candidate, control, two_sided_critical(degrees, alpha))
    places = np.flatnonzero(cells.rare & cells.measured)
    ratio_low, ratio_high = score.ratio_interval(*cells.counts_at(places), _normal_critical(alpha))
    low[places], high[places] = ratio_low - 1.0, ratio_high - 1.0
    bounded = cells.measured & (np.abs(high) < LARGEST_LIFT)
    return np.where(bounded, low, np.nan), np.where(bounded, high, np.nan)


def at_all_times(plan: JudgePlan, cells: Cells) -> Ends:
    """Ends of the interval of candidate - control that holds at all looks at once, NaN before the burn-in is over.

    It is where the two-sided mixture, over the same spreads as the test of harm, stays below 1 / alpha.
    """
    watched = monitoring_contrast(cells, factor=np.ones_like(cells.margin), shift=np.zeros_like(cells.margin))
    ready = is_burnt_in(plan, cells) & (watched.standard_error > 0.0) & cells.measured
    ratios = np.where(ready[:, None], effect_scales(cells) ** 2 * watched.information[:, None], 1.0)
    half = np.where(ready, anytime.two_sided_critical(ratios, plan.alpha) * watched.standard_error, np.nan)
    return watched.difference - half, watched.difference + half


def _normal_critical(alpha: float) -> Floats:
    return two_sided_critical(np.array(np.inf), alpha)
