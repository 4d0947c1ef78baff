"""Effects among some users at a time, by a dimension such as the edge: to explore, and nothing is decided on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.multiplicity import benjamini_hochberg
from experiments.stats.core.types import Evidence, Interval, JudgePlan, MetricPlan, UnitSums
from experiments.stats.health.shares import Segment
from experiments.stats.judging import intervals
from experiments.stats.judging.cells import NOTHING, Cells, arrange, candidates_of, first_notes

FEWEST_UNITS = 100
"""Units of each arm from which on an estimate is about normal."""

FEW = f"An arm has fewer than {FEWEST_UNITS} users here."

Place = tuple[Segment, MetricPlan, str]


@dataclass(frozen=True, slots=True)
class SegmentEffect:
    """One metric of one candidate beside the control, among the units of one segment.

    `effect` is candidate minus control in the metric's unit, `relative` is effect / |control|; the intervals have
    coverage 1 - alpha at a single look. `p_value` is two-sided, against no difference, and `adjusted_p_value` allows
    for all that were tested. What could not be told is None, and `note` says why.
    """

    dimension: str
    value: str
    metric: str
    variant: str
    control_value: float | None
    variant_value: float | None
    effect: float | None
    relative: float | None
    interval: Interval | None
    relative_interval: Interval | None
    p_value: float | None
    adjusted_p_value: float | None
    note: str


def break_down(plan: JudgePlan, segments: Mapping[Segment, Evidence]) -> tuple[SegmentEffect, ...]:
    """Compare each candidate with the control by every metric, in each segment alone.

    Welch's test, and the score test where events are rare, as for a look at all units; a p-value is adjusted over all
    segments, metrics and candidates, so that of those below alpha a share of alpha is expected to be false. Assumes
    that a unit's segments were known before it was treated, and p-values of one look that depend positively at most.
    References: Benjamini and Hochberg, Controlling the false discovery rate (JRSS B 1995); Benjamini and Yekutieli
    (Ann. Statist. 2001) on dependence.

    >>> from experiments.stats.core.types import *
    >>> errors = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL)
    >>> plan = JudgePlan((errors,), "control", {"control": 0.5, "new": 0.5})
    >>> few, many = UnitSums(1000, 100, 1000, 100, 1000, 100), UnitSums(1000, 150, 1000, 150, 1000, 150)
    >>> alike = Evidence({}, {("errors", "control"): few, ("errors", "new"): few})
    >>> apart = Evidence({}, {("errors", "control"): few, ("errors", "new"): many})
    >>> [(found.value, round(found.adjusted_p_value, 4))
    ...  for found in break_down(plan, {("edge", "eu"): alike, ("edge", "us"): apart})]
    [('eu', 1.0), ('us', 0.0014)]
    """
    places = [(s, metric, variant) for s in segments for metric in plan.metrics for variant in candidates_of(plan)]
    if not places:
        return ()
    treated = SumsColumns.of([_sums(segments[segment], metric, variant) for segment, metric, variant in places])
    untreated = SumsColumns.of([_sums(segments[segment], metric, plan.control) for segment, metric, _ in places])
    with np.errstate(all="ignore"):
        cells = arrange([metric for _, metric, _ in places], [v for _, _, v in places], treated, untreated)
        return tuple(_effects(places, cells, plan.alpha))


def _sums(evidence: Evidence, metric: MetricPlan, variant: str) -> UnitSums:
    return evidence.sums.get((metric.key, variant), NOTHING)


def _effects(places: Sequence[Place], cells: Cells, alpha: float) -> list[SegmentEffect]:
    control, candidate = cells.control.estimates, cells.candidate.estimates
    many = np.minimum(control.units, candidate.units) >= FEWEST_UNITS
    difference = intervals.Difference.of(cells, alpha)
    told = many & intervals.can_be_told(cells, difference)
    effect = np.where(told, candidate.value - control.value, np.nan)
    p_values = np.where(told, _two_sided(difference), np.nan)
    columns = (
        *(np.where(cells.measured, arm.value, np.nan) for arm in (control, candidate)),
        effect,
        effect / np.abs(control.value),
        *(np.where(told, end, np.nan) for end in intervals.planned(cells, difference)),
        *(np.where(told, end, np.nan) for end in intervals.relative(cells, difference)),
        p_values,
        _adjusted(p_values),
    )
    reasons = first_notes([(~many, FEW), (~told, "No user differs from another.")])
    notes = [note or reason for note, reason in zip(cells.notes, reasons, strict=True)]
    rows = zip(places, notes, *(column.tolist() for column in columns), strict=True)
    return [_effect(place, note, numbers) for place, note, *numbers in rows]


def _two_sided(difference: intervals.Difference) -> Floats:
    contrast = difference.contrast
    # Without an event in either arm nothing varies under the hypothesis, and nothing speaks against it.
    z = np.where(contrast.difference == 0.0, 0.0, contrast.z)
    return np.asarray(np.minimum(2.0 * special.stdtr(contrast.degrees, -np.abs(z)), 1.0), dtype=np.float64)


def _adjusted(p_values: Floats) -> Floats:
    adjusted, known = np.full_like(p_values, np.nan), np.isfinite(p_values)
    adjusted[known] = benjamini_hochberg(p_values[known])
    return adjusted


def _effect(place: Place, note: str, numbers: Sequence[float]) -> SegmentEffect:
    (dimension, value), metric, variant = place
    control, candidate, effect, relative, low, high, relative_low, relative_high, p_value, adjusted = map(
        _plain, numbers
    )
    return SegmentEffect(
        dimension=dimension,
        value=value,
        metric=metric.key,
        variant=variant,
        control_value=control,
        variant_value=candidate,
        effect=effect,
        relative=relative,
        interval=_interval(low, high),
        relative_interval=_interval(relative_low, relative_high),
        p_value=p_value,
        adjusted_p_value=adjusted,
        note=note,
    )


def _interval(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low, high)


def _plain(number: float) -> float | None:
    return number if np.isfinite(number) else None
