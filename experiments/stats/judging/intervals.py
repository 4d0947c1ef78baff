"""The intervals of each cell: at one look, relative to the control, at all looks, and at all times."""

from dataclasses import dataclass

import numpy as np

from experiments.stats.core import fieller, score
from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.contrast import Contrast, in_student, two_sided_critical, with_larger_variance
from experiments.stats.core.types import JudgePlan
from experiments.stats.judging.cells import Cells
from experiments.stats.judging.harm import effect_scales, is_burnt_in, monitoring_contrast
from experiments.stats.judging.looks import PresentLook
from experiments.stats.judging.shown import planned_contrast
from experiments.stats.sequential import anytime

Ends = tuple[Floats, Floats]

LARGEST_LIFT = 1e6
"""A relative interval that reaches beyond this many times the control is unbounded."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus control of each cell, with the variance for a planned look.

    All intervals have coverage 1 - `alpha`; `critical` is Student's quantile for it.
    """

    contrast: Contrast
    alpha: float
    critical: Floats

    @classmethod
    def of(cls, cells: Cells, alpha: float) -> "Difference":
        """What the intervals of the cells have in common."""
        contrast = planned_contrast(cells)
        return cls(contrast, alpha, two_sided_critical(contrast.degrees, alpha))

    @property
    def normal_critical(self) -> Floats:
        """The quantile for endless degrees of freedom, for score tests."""
        return two_sided_critical(np.array(np.inf), self.alpha)


def can_be_told(cells: Cells, difference: Difference) -> Flags:
    """Whether both arms were measured and units differ, or events are so rare that the score test tells without.

    Where it cannot, no interval of the cell is told, in no unit.
    """
    return np.asarray(cells.measured & (difference.contrast.varies | cells.by_score), dtype=np.bool_)


def planned(cells: Cells, difference: Difference) -> Ends:
    """Ends of the interval of candidate - control: Welch's, and the score test's where cells are judged by it.

    NaN where nothing was measured or nothing varied.
    """
    value, half = difference.contrast.difference, difference.critical * difference.contrast.standard_error
    known = can_be_told(cells, difference)
    low, high = np.where(known, value - half, np.nan), np.where(known, value + half, np.nan)
    places = np.flatnonzero(cells.by_score & known)
    low[places], high[places] = score.difference_interval(*cells.counts_at(places), difference.normal_critical)
    return low, high


def at_looks(cells: Cells, difference: Difference, look: PresentLook) -> Ends:
    """Ends of the interval of candidate - control that holds at all planned looks together.

    The repeated interval d ± c s with the look's critical value c for alpha / 2 on each side; NaN where a look can
    spend nothing yet. Reference: Jennison and Turnbull, Interim analyses: the repeated confidence interval approach
    (JRSS B 1989).
    """
    contrast = difference.contrast
    critical = look.critical(np.full_like(cells.margin, difference.alpha / 2.0))
    half = in_student(critical, contrast.degrees) * contrast.standard_error
    half = np.where(contrast.varies & cells.measured, half, np.nan)
    return contrast.difference - half, contrast.difference + half


def relative(cells: Cells, difference: Difference) -> Ends:
    """Ends of the interval of (candidate - control) / |control|, NaN where `planned` is and where unbounded.

    Fieller's, and the score test's where cells are judged by it, so that a relative margin lies in it when the test of
    that margin cannot reject, and out of it when it can; but for what skewness adds.
    """
    candidate, control = with_larger_variance(cells.candidate.at_looks, cells.control.at_looks)
    low, high = fieller.relative_interval(candidate, control, difference.critical, common=cells.common_variance)
    places = np.flatnonzero(cells.by_score & cells.measured)
    ratio_low, ratio_high = score.ratio_interval(*cells.counts_at(places), difference.normal_critical)
    low[places], high[places] = ratio_low - 1.0, ratio_high - 1.0
    bounded = can_be_told(cells, difference) & (np.maximum(np.abs(low), np.abs(high)) < LARGEST_LIFT)
    return np.where(bounded, low, np.nan), np.where(bounded, high, np.nan)


def at_all_times(plan: JudgePlan, cells: Cells, difference: Difference) -> Ends:
    """Ends of the interval of candidate - control that holds at all looks at once, NaN before the burn-in is over.

    It is where the two-sided mixture, over the spreads of `effect_scales`, stays below 1 / alpha.
    """
    watched = monitoring_contrast(cells, factor=np.ones_like(cells.margin), shift=np.zeros_like(cells.margin))
    ready = is_burnt_in(plan, cells) & (watched.standard_error > 0.0) & can_be_told(cells, difference)
    ratios = np.where(ready[:, None], effect_scales(cells) ** 2 * watched.information[:, None], 1.0)
    critical = in_student(anytime.two_sided_critical(ratios, difference.alpha), watched.degrees)
    half = np.where(ready, critical * watched.standard_error, np.nan)
    return watched.difference - half, watched.difference + half
