"""Two arms' quantiles beside each other: their difference, absolute and relative to the control."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.contrast import Contrast, linear_contrast, two_sided_critical
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.fieller import relative_interval
from experiments.stats.core.types import Interval
from experiments.stats.metrics.quantiles import QuantileEstimate


@dataclass(frozen=True, slots=True)
class QuantileDifference:
    """Candidate minus control of one quantile.

    `difference` and `interval` are in the values' unit, `relative` and `relative_interval` are shares of |control|.
    `interval` is None where nothing varied, `relative` where the control is zero, and `relative_interval` where it is
    unbounded. `note` says which arm has too few data for the intervals to be trusted; it is empty where both have
    enough.
    """

    level: float
    difference: float
    standard_error: float
    degrees: float
    interval: Interval | None
    relative: float | None
    relative_interval: Interval | None
    note: str


def quantile_contrast(
    candidate: QuantileEstimate, control: QuantileEstimate, *, factor: ArrayLike = 1.0, shift: ArrayLike = 0.0
) -> Contrast:
    """The contrast q_T - factor · q_C - shift, for every test that takes one.

    Non-inferiority of a duration with a margin of 10 % is `lower_tail` with factor 1.1, with a margin of 50 ms that
    with shift 50. Assumes independent arms.
    Reference: Deng, Knoblich and Lu, Applying the delta method in metric analytics (KDD 2018).

    Raises:
        InvalidEvidence: `levels-differ`.

    >>> from experiments.stats.metrics.quantiles import clustered_quantile
    >>> from experiments.stats.core.contrast import lower_tail
    >>> arm = clustered_quantile(np.arange(1.0, 1001.0), np.arange(1000), 0.5)
    >>> bool(lower_tail(quantile_contrast(arm, arm, factor=1.2))[0] < 0.01)
    True
    """
    require(candidate.level == control.level, lambda: _levels_differ(candidate.level, control.level))
    return linear_contrast(candidate.as_estimates(), control.as_estimates(), factor=factor, shift=shift)


def quantile_difference(
    candidate: QuantileEstimate, control: QuantileEstimate, *, alpha: float = 0.05
) -> QuantileDifference:
    """The difference of two arms' quantiles with intervals of coverage 1 - alpha at a single look.

    d ± t sqrt(s_T² + s_C²) with Welch's degrees of freedom, and Fieller's interval of d / |q_C| with the same t.
    Assumes independent arms.
    References: Deng, Knoblich and Lu (KDD 2018); Fieller, Some problems in interval estimation (JRSS B 1954).

    Raises:
        InvalidArgument: `alpha-range`.
        InvalidEvidence: `levels-differ`.

    >>> from experiments.stats.metrics.quantiles import clustered_quantile
    >>> control = clustered_quantile(np.arange(1.0, 1001.0), np.arange(1000), 0.5)
    >>> slower = clustered_quantile(np.arange(101.0, 1101.0), np.arange(1000), 0.5)
    >>> found = quantile_difference(slower, control)
    >>> found.difference, found.relative, found.interval.low > 0.0
    (100.0, 0.2, True)
    """
    require(0.0 < alpha < 1.0, lambda: _alpha_range(alpha))
    contrast = quantile_contrast(candidate, control)
    difference, error, degrees = (float(each.item()) for each in _columns(contrast))
    half = float(two_sided_critical(contrast.degrees, alpha).item()) * error
    return QuantileDifference(
        control.level,
        difference,
        error,
        degrees,
        Interval(difference - half, difference + half) if error > 0.0 else None,
        difference / abs(control.value) if control.value else None,
        _relative(candidate, control, contrast, alpha) if error > 0.0 else None,
        _note(candidate, control),
    )


def _columns(contrast: Contrast) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    return contrast.difference, contrast.standard_error, contrast.degrees


def _relative(
    candidate: QuantileEstimate, control: QuantileEstimate, contrast: Contrast, alpha: float
) -> Interval | None:
    critical = two_sided_critical(contrast.degrees, alpha)
    with np.errstate(all="ignore"):
        ends = relative_interval(candidate.as_estimates(), control.as_estimates(), critical)
    low, high = (float(end.item()) for end in ends)
    return Interval(low, high) if math.isfinite(low) and math.isfinite(high) else None


def _note(candidate: QuantileEstimate, control: QuantileEstimate) -> str:
    notes = (("Candidate", candidate.note), ("Control", control.note))
    return " ".join(f"{arm}: {note}" for arm, note in notes if note)


def _alpha_range(alpha: float) -> InvalidArgument:
    return InvalidArgument("alpha-range", f"alpha is {alpha}.", next_step="Give a value between 0 and 1.")


def _levels_differ(candidate: float, control: float) -> InvalidEvidence:
    detail = f"The candidate's quantile is at {candidate:g}, the control's at {control:g}."
    return InvalidEvidence("levels-differ", detail, next_step="Compare the same quantile of both arms.")
