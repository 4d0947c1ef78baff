"""Conversion and retention: what a unit does within a window after its first exposure.

A unit enters when its window has closed, so a unit of today does not look as if it had not come back, and the
metric means the same on every day of the experiment. Totals since exposure, which grow with time, do not.
Reference: Spotify, Bringing sequential testing to experiments with longitudinal data (2023).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.types import UnitSums


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` up to `end` seconds after a unit's first exposure; the end is not part of it."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class WindowTotals:
    """One arm's units: whether each window has closed, and what happened in it."""

    complete: Flags
    events: Floats
    values: Floats

    def proportion(self) -> UnitSums:
        """Share of complete units with any event: conversion, or retention for a window that starts later."""
        return UnitSums.of(self.events[self.complete] > 0.0)

    def mean(self) -> UnitSums:
        """Mean over complete units of their value in the window."""
        return UnitSums.of(self.values[self.complete])


def window_totals(
    first_exposures: ArrayLike,
    event_units: ArrayLike,
    event_times: ArrayLike,
    window: Window,
    *,
    now: float,
    event_values: ArrayLike | None = None,
) -> WindowTotals:
    """Count each unit's events in its window; times in seconds since any one moment.

    `first_exposures` has one entry a unit; `event_units` are places in it, with one time and value (1 if not given) an
    event. `now` is up to when events are known: late ones need it to be earlier than the clock.

    Raises:
        InvalidArgument: `window-range`.
        InvalidEvidence: `events-lengths`, `event-unit-unknown`, `times-not-finite`.

    >>> day = 86_400.0
    >>> totals = window_totals([0.0, day, 9 * day], [0, 0, 1], [7.5 * day, 9 * day, 2 * day], Window(7 * day, 14 * day),
    ...                        now=16 * day)
    >>> totals.complete.tolist(), totals.events.tolist()
    ([True, True, False], [2.0, 0.0, 0.0])
    """
    require(0.0 <= window.start < window.end, lambda: _window_range(window))
    first, times = np.asarray(first_exposures, dtype=np.float64), np.asarray(event_times, dtype=np.float64)
    units = np.asarray(event_units, dtype=np.intp)
    values = np.ones_like(times) if event_values is None else np.asarray(event_values, dtype=np.float64)
    same = units.shape == times.shape == values.shape
    require(same, lambda: _evidence("events-lengths", "Events' units, times and values differ in length."))
    known = not units.size or bool(units.min() >= 0 and units.max() < first.size)
    require(known, lambda: _evidence("event-unit-unknown", "An event is of a unit that was never exposed."))
    finite = bool(np.isfinite(first).all() and np.isfinite(times).all() and np.isfinite(values).all())
    require(finite, lambda: _evidence("times-not-finite", "A time or value is infinite or no number."))
    since = times - first[units]
    inside = (since >= window.start) & (since < window.end) & (times <= now)
    count, total = (
        np.bincount(units[inside], weights=weights, minlength=first.size).astype(np.float64)
        for weights in (None, values[inside])
    )
    return WindowTotals(first + window.end <= now, count, total)


def _window_range(window: Window) -> InvalidArgument:
    return InvalidArgument(
        "window-range",
        f"A window from {window.start} to {window.end} seconds after exposure is none.",
        next_step="Give a start of 0 or more and a later end.",
    )


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give each event the place of its unit, a finite time and value.")
