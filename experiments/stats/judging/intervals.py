"""The intervals of each cell: at one look, relative to the control, at all looks, and at all times."""

import numpy as np

from experiments.stats.core import fieller, score
from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.contrast import in_student, two_sided_critical, with_larger_variance
from experiments.stats.core.types import JudgePlan
from experiments.stats.judging.cells import Cells
from experiments.stats.judging.harm import effect_scales, is_burnt_in, monitoring_contrast
from experiments.stats.judging.looks import PresentLook
from experiments.stats.judging.shown import planned_contrast
from experiments.stats.sequential import anytime

Ends = tuple[Floats, Floats]

LARGEST_LIFT = 1e6
"""A relative interval that reaches beyond this many times the control is unbounded."""


def can_be_told(cells: Cells) -> Flags:
    """Whether both arms were measured and units differ, or events are so rare that the score test tells without.

    Where it cannot, no interval of the cell is told, in no unit.
    """
    return np.asarray(cells.measured & (planned_contrast(cells).varies | cells.rare), dtype=np.bool_)


def planned(cells: Cells, alpha: float) -> Ends:
    """Ends of the 1 - alpha interval of candidate - control: Welch's, and the score test's where events are rare.

    NaN where nothing was measured or nothing varied.
    """
    contrast = planned_contrast(cells)
    half = two_sided_critical(contrast.degrees, alpha) * contrast.standard_error
    known = can_be_told(cells)
    low, high = np.where(known, contrast.difference - half, np.nan), np.where(known, contrast.difference + half, np.nan)
    places = np.flatnonzero(cells.rare & known)
    low[places], high[places] = score.difference_interval(*cells.counts_at(places), _normal_critical(alpha))
    return low, high


def at_looks(cells: Cells, look: PresentLook, alpha: float) -> Ends:
    """Ends of the 1 - alpha interval of candidate - control that holds at all planned looks together.

    The repeated interval d ± c s with the look's critical value c for alpha / 2 on each side; NaN where a look can
    spend nothing yet. Reference: Jennison and Turnbull, Interim analyses: the repeated confidence interval approach
    (JRSS B 1989).
    """
    contrast = planned_contrast(cells)
    critical = look.critical(np.full_like(cells.margin, alpha / 2.0))
    half = in_student(critical, contrast.degrees) * contrast.standard_error
    half = np.where(contrast.varies & cells.measured, half, np.nan)
    return contrast.difference - half, contrast.difference + half


def relative(cells: Cells, alpha: float) -> Ends:
    """Ends of the 1 - alpha interval of (candidate - control) / |control|, NaN where `planned` is and where unbounded.

    Fieller's, and the score test's where events are rare, so that a relative margin lies in it exactly when the test of
    that margin cannot reject.
    """
    candidate, control = with_larger_variance(cells.candidate.at_looks, cells.control.at_looks)
    degrees = planned_contrast(cells).degrees
    low, high = fieller.relative_interval(candidate, control, two_sided_critical(degrees, alpha))
    places = np.flatnonzero(cells.rare & cells.measured)
    ratio_low, ratio_high = score.ratio_interval(*cells.counts_at(places), _normal_critical(alpha))
    low[places], high[places] = ratio_low - 1.0, ratio_high - 1.0
    bounded = can_be_told(cells) & (np.maximum(np.abs(low), np.abs(high)) < LARGEST_LIFT)
    return np.where(bounded, low, np.nan), np.where(bounded, high, np.nan)


def at_all_times(plan: JudgePlan, cells: Cells) -> Ends:
    """Ends of the interval of candidate - control that holds at all looks at once, NaN before the burn-in is over.

    It is where the two-sided mixture, over the same spreads as the test of harm, stays below 1 / alpha.
    """
    watched = monitoring_contrast(cells, factor=np.ones_like(cells.margin), shift=np.zeros_like(cells.margin))
    ready = is_burnt_in(plan, cells) & (watched.standard_error > 0.0) & can_be_told(cells)
    ratios = np.where(ready[:, None], effect_scales(cells) ** 2 * watched.information[:, None], 1.0)
    critical = in_student(anytime.two_sided_critical(ratios, plan.alpha), watched.degrees)
    half = np.where(ready, critical * watched.standard_error, np.nan)
    return watched.difference - half, watched.difference + half


def _normal_critical(alpha: float) -> Floats:
    return two_sided_critical(np.array(np.inf), alpha)
