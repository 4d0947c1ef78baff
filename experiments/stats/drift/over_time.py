"""A labelled metric against its own past: how far it fell, and how fast it falls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.contrast import linear_contrast, two_sided_critical
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.fieller import relative_interval
from experiments.stats.core.types import Direction, Interval, UnitSums
from experiments.stats.health.findings import check_alpha, check_sums
from experiments.stats.metrics import ratio

LARGEST_FALL = 0.05
FEWEST_UNITS = 30
"""Units of a window from which on its value is about normal with Student's allowance."""


@dataclass(frozen=True, slots=True)
class Decay:
    """A metric's present window beside its reference window.

    `change` is (present - reference) / |reference| with its interval; `alarm` says that the metric got worse by more
    than the largest accepted fall and that the interval lies wholly on the worse side of 0. What could not be measured
    is None, and `note` says why.
    """

    reference_value: float | None
    present_value: float | None
    change: float | None
    interval: Interval | None
    alarm: bool
    note: str


@dataclass(frozen=True, slots=True)
class Trend:
    """The slope of a metric over windows, in the metric's unit per unit of time, with its interval.

    `falling` says that the interval lies wholly on the worse side of 0.
    """

    slope: float | None
    interval: Interval | None
    falling: bool
    note: str


def decay(
    reference: UnitSums,
    present: UnitSums,
    *,
    largest_fall: float = LARGEST_FALL,
    alpha: float = 0.05,
    direction: Direction = Direction.INCREASE,
) -> Decay:
    """Compare a metric's present window, as the last week, with its reference window, as the week before.

    Sums hold Y and D by unit, as `Outcomes.sums` gives them for accuracy, precision, recall or F1. The interval of the
    change is Fieller's with coverage 1 - alpha. It holds for one look at independent windows; units in both windows
    make it wider than need be. Give only requests whose label had time to arrive.
    References: Fieller (JRSS B 1954); Deng, Knoblich and Lu (KDD 2018).

    Raises:
        InvalidArgument: `alpha-range`, `fall-range`.
        InvalidEvidence: `sums-invalid`.

    >>> week = UnitSums(2000, 1900, 2000, 1900, 2000, 1900)
    >>> later = UnitSums(2000, 1340, 2000, 1340, 2000, 1340)
    >>> found = decay(week, later)
    >>> round(found.change, 3), round(found.interval.high, 3), found.alarm
    (-0.295, -0.272, True)
    """
    check_alpha(alpha)
    in_range = 0.0 <= largest_fall < np.inf
    require(in_range, lambda: _range("fall-range", f"The largest fall is {largest_fall}.", "Give 0 or more."))
    check_sums((reference, present))
    note = _note((reference, present))
    if note:
        return Decay(None, None, None, None, alarm=False, note=note)
    with np.errstate(all="ignore"):
        before, now = (ratio.estimate(SumsColumns.of([sums])) for sums in (reference, present))
    values = float(before.value[0]), float(now.value[0])
    if values[0] == 0.0:
        return Decay(*values, None, None, alarm=False, note="The reference is zero, so no relative change exists.")
    change, interval = (values[1] - values[0]) / abs(values[0]), _interval(now, before, alpha)
    if interval is None:
        return Decay(*values, change, None, alarm=False, note="The reference is too uncertain for a relative change.")
    worse, edge = (-change, -interval.high) if direction is Direction.INCREASE else (change, interval.low)
    return Decay(*values, change, interval, alarm=worse > largest_fall and edge > 0.0, note="")


def trend(
    windows: Sequence[UnitSums],
    times: ArrayLike,
    *,
    alpha: float = 0.05,
    direction: Direction = Direction.INCREASE,
) -> Trend:
    """Fit a line through the values of several windows, weighted by their information; one time a window, in any unit.

    slope = Σ w (t - t̄) y / Σ w (t - t̄)² with w = 1 / standard error², and variance 1 / Σ w (t - t̄)², times
    max(1, Σ w residual² / (k - 2)) where windows scatter more than their units explain. Student's quantile with k - 2
    degrees of freedom. Windows without enough units are left out; fewer than three are too few.
    References: Birge, The calculation of errors by the method of least squares (Phys. Rev. 1932); Draper and Smith,
    Applied Regression Analysis (1998), chapter 9.

    Raises:
        InvalidArgument: `alpha-range`.
        InvalidEvidence: `times-invalid`, `sums-invalid`.

    >>> days = [UnitSums(500, y, 500, y, 500, y) for y in (475, 450, 430, 405, 380)]
    >>> found = trend(days, [0, 1, 2, 3, 4])
    >>> round(found.slope, 4), found.falling
    (-0.0469, True)
    """
    check_alpha(alpha)
    moments = np.asarray(times, dtype=np.float64)
    require(moments.shape == (len(windows),) and bool(np.isfinite(moments).all()), _times)
    check_sums(windows)
    usable = [place for place, sums in enumerate(windows) if not _note((sums,))]
    if len(usable) < 3 or np.unique(moments[usable]).size < 2:
        return Trend(None, None, falling=False, note="A trend needs three windows with enough units.")
    with np.errstate(all="ignore"):
        estimates = ratio.estimate(SumsColumns.of([windows[place] for place in usable]))
        measured = bool(np.isfinite(estimates.variance).all())
        slope, error = _slope(moments[usable], estimates) if measured else (np.nan, np.nan)
    if not np.isfinite(slope + error):
        return Trend(None, None, falling=False, note="The values are too large for their squares.")
    half = float(special.stdtrit(len(usable) - 2, 1.0 - alpha / 2.0)) * error
    interval = Interval(slope - half, slope + half)
    falling = interval.high < 0.0 if direction is Direction.INCREASE else interval.low > 0.0
    return Trend(slope, interval, falling, "")


def _interval(now: Estimates, before: Estimates, alpha: float) -> Interval | None:
    with np.errstate(all="ignore"):
        if not now.variance[0] and not before.variance[0]:
            certain = float((now.value[0] - before.value[0]) / abs(before.value[0]))
            return Interval(certain, certain) if np.isfinite(certain) else None
        critical = two_sided_critical(linear_contrast(now, before).degrees, alpha)
        low, high = relative_interval(now, before, critical)
    return Interval(float(low[0]), float(high[0])) if np.isfinite(low[0]) and np.isfinite(high[0]) else None


def _slope(times: Floats, estimates: Estimates) -> tuple[float, float]:
    """Slope and its standard error. A window whose units all agree is taken to vary as much as the most varied one."""
    largest = float(estimates.variance.max())
    variance = np.where(estimates.variance > 0.0, estimates.variance, largest or 1.0)
    weights = estimates.units / variance
    centred = times - np.average(times, weights=weights)
    spread = np.sum(weights * centred**2)
    slope = np.sum(weights * centred * estimates.value) / spread
    residuals = estimates.value - np.average(estimates.value, weights=weights) - slope * centred
    scatter = np.sum(weights * residuals**2) / (times.size - 2)
    return float(slope), float(np.sqrt(max(scatter, 1.0 if largest else 0.0) / spread))


def _note(windows: Sequence[UnitSums]) -> str:
    if any(window.units < FEWEST_UNITS for window in windows):
        return f"A window has fewer than {FEWEST_UNITS} units."
    return "A window's denominator is zero." if any(window.sum_d == 0.0 for window in windows) else ""


def _range(code: str, detail: str, next_step: str) -> InvalidArgument:
    return InvalidArgument(code, detail, next_step=next_step)


def _times() -> InvalidEvidence:
    detail = "The times are not one finite number for each window."
    return InvalidEvidence("times-invalid", detail, next_step="Give a time for each window, as its day.")
