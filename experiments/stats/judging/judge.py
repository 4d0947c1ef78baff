"""The judge: from a plan and its evidence to intervals, verdicts and the evidence of harm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import rows_of
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import (
    Evidence,
    Halt,
    Interval,
    JudgePlan,
    MetricPlan,
    MetricResult,
    PastLooks,
    Results,
    SampleRatio,
    Verdict,
)
from experiments.stats.health.sample_ratio import sample_ratio
from experiments.stats.judging import intervals
from experiments.stats.judging.cells import Cells, Name, candidates_of
from experiments.stats.judging.gather import gather_without
from experiments.stats.judging.harm import anytime_alpha, halt, log_harm
from experiments.stats.judging.judgeable import check_plan
from experiments.stats.judging.later import PART_FROM_START, LaterEvidence, harm_since
from experiments.stats.judging.shown import Conclusions, conclude
from experiments.stats.judging.tails import beyond_margin, harm_in_tails, of_guardrails, of_tails

Found = TypeVar("Found")

NO_LOOKS = PastLooks()

Troubles = Mapping[Name, str]
"""Why a cell cannot be judged, by metric and candidate."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The evidence of harm: one log e-value a cell, and the halt that follows. Cells with troubles have no say."""

    cells: Cells
    log_e: Floats
    halt: Halt
    troubles: Troubles


def judge(
    plan: JudgePlan, evidence: Evidence, *, looks: PastLooks = NO_LOOKS, later: Sequence[LaterEvidence] = ()
) -> Results:
    """Judge the evidence, after the looks that were taken before.

    `halt` may be acted on whenever one looks. Verdicts are those of a look at this moment: they, and `harmed_at_look`,
    may be acted on if it is then counted as one, and passed on in `looks` from then on; between looks they are for
    display. Evidence since `later` starts may halt, and tells nothing else. A metric that cannot be judged, whatever
    its numbers do, gets the verdict *insufficient* with a note and hides no other.

    Raises:
        InvalidPlan: `shares-sum`, `control-unknown`, `metric-twice`, `plan-range` or `metric-range`.
        InvalidEvidence: `units-negative`.

    >>> from experiments.stats.core.types import *
    >>> errors = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)
    >>> plan = JudgePlan((errors,), "control", {"control": 0.5, "new": 0.5})
    >>> sums = {("errors", "control"): UnitSums(5000, 100, 5000, 100, 5000, 100),
    ...         ("errors", "new"): UnitSums(5000, 260, 5000, 260, 5000, 260)}
    >>> judge(plan, Evidence({"control": 5000, "new": 5000}, sums)).halt.blamed
    (('errors', 'new'),)
    """
    check_plan(plan)
    with np.errstate(all="ignore"):
        watched = _watched(plan, evidence, later)
        rows = _whatever_raises(of_guardrails(plan), partial(_rows, evidence=evidence, looks=looks, watched=watched))
        beyond = _whatever_raises(of_tails(plan), partial(beyond_margin, evidence=evidence)) if plan.tails else ()
    return Results(rows, sample_ratio(plan.shares, evidence.units), watched.halt, beyond=beyond)


def watch(plan: JudgePlan, evidence: Evidence, later: Sequence[LaterEvidence] = ()) -> Halt:
    """The halt at any time alone, from the start or since a later one.

    It needs no looks and nothing that promotion needs.

    Raises:
        InvalidPlan: as `judge`.

    """
    check_plan(plan)
    with np.errstate(all="ignore"):
        return _watched(plan, evidence, later).halt


def without_verdicts(plan: JudgePlan, evidence: Evidence, stop: Halt) -> Results:
    """A halt and who is to blame, where nothing more could be told.

    >>> from experiments.stats.core.types import *
    >>> metric = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL)
    >>> plan = JudgePlan((metric,), "control", {"control": 0.5, "new": 0.5})
    >>> stop = Halt(9.0, 5.3, reached=True, blamed=(("errors", "new"),))
    >>> without_verdicts(plan, Evidence({}, {}), stop).metrics[0].harmed
    True
    """
    rows = [
        MetricResult(
            metric=metric.key,
            role=metric.role,
            variant=variant,
            control_value=None,
            variant_value=None,
            control_units=evidence.units.get(plan.control, 0),
            variant_units=evidence.units.get(variant, 0),
            effect=None,
            relative=None,
            interval=None,
            relative_interval=None,
            anytime_interval=None,
            p_value=None,
            log_harm=None,
            harmed=(metric.key, variant) in stop.blamed,
            verdict=Verdict.FAIL if (metric.key, variant) in stop.blamed else Verdict.INSUFFICIENT,
            information_fraction=None,
            note="Only the evidence of harm could be computed.",
        )
        for metric in plan.metrics
        for variant in candidates_of(plan)
    ]
    return Results(tuple(rows), SampleRatio(plan.shares, evidence.units, 1.0, 0.0, mismatch=False), stop)


def _watched(plan: JudgePlan, evidence: Evidence, later: Sequence[LaterEvidence]) -> Watched:
    def attempt(part: JudgePlan, troubles: Troubles) -> Watched:
        cells = gather_without(part, evidence, troubles)
        log_e = log_harm(part, cells)
        return Watched(cells, log_e, halt(cells, log_e, PART_FROM_START * anytime_alpha(part)), troubles)

    guardrails = of_guardrails(plan)
    watched = _whatever_raises(guardrails, attempt)
    stop = _since(guardrails, watched.halt, later)
    return replace(watched, halt=_in_tails(plan, stop, evidence, later))


def _since(plan: JudgePlan, stop: Halt, later: Sequence[LaterEvidence]) -> Halt:
    """The halt, also where harm shows since a later start alone."""
    if stop.reached or not later:
        return stop
    found = _whatever_raises(plan, lambda part, troubles: harm_since(part, later, without=frozenset(troubles)))
    blamed = tuple(dict.fromkeys((harm.metric, harm.variant) for harm in found))
    return replace(stop, reached=bool(found), blamed=blamed, later=found)


def _in_tails(plan: JudgePlan, stop: Halt, evidence: Evidence, later: Sequence[LaterEvidence]) -> Halt:
    """The halt, also where harm shows in a tail alone; to blame is the guardrail whose tail it is."""
    if not plan.tails:
        return stop
    found = _whatever_raises(of_tails(plan), partial(harm_in_tails, evidence=evidence, later=later))
    guardrails = {tail.key: key for key, tails in plan.tails.items() for tail in tails}
    blamed = dict.fromkeys((*stop.blamed, *((guardrails[harm.metric], harm.variant) for harm in found)))
    return replace(stop, reached=stop.reached or bool(found), blamed=tuple(blamed), tails=found)


def _whatever_raises(plan: JudgePlan, attempt: Callable[[JudgePlan, Troubles], Found]) -> Found:
    """What is found for all cells at once, without those whose numbers raise when they are tried alone."""
    try:
        return attempt(plan, {})
    except Exception:  # noqa: BLE001 - whatever one cell stumbles over, the others are still judged
        pairs = [(metric, variant) for metric in plan.metrics for variant in candidates_of(plan)]
        alone = {(m.key, v): _trouble(_with_one_cell(plan, m, v), attempt) for m, v in pairs}
        return attempt(plan, {name: trouble for name, trouble in alone.items() if trouble})


def _with_one_cell(plan: JudgePlan, metric: MetricPlan, variant: str) -> JudgePlan:
    shares = {name: plan.shares[name] for name in (plan.control, variant)}
    return replace(plan, metrics=(metric,), shares=shares)


def _trouble(plan: JudgePlan, attempt: Callable[[JudgePlan, Troubles], object]) -> str:
    """What an attempt raises, in words; empty if nothing."""
    try:
        attempt(plan, {})
    except StatisticsError as error:
        return f"It could not be judged: {error.detail}"
    except Exception as error:  # noqa: BLE001 - as above
        return f"It could not be judged: {type(error).__name__}: {error}."
    return ""


def _rows(
    plan: JudgePlan, troubles: Troubles, *, evidence: Evidence, looks: PastLooks, watched: Watched
) -> tuple[MetricResult, ...]:
    """One row a cell, with the evidence of harm that was found before."""
    cells, log_e = watched.cells, watched.log_e
    if troubles or len(cells.names) != len(plan.metrics) * len(candidates_of(plan)):
        cells = gather_without(plan, evidence, {**watched.troubles, **troubles})
        known = dict(zip(watched.cells.names, watched.log_e.tolist(), strict=True))
        log_e = np.array([known[name] for name in cells.names], dtype=np.float64)
    harmed = np.array([name in watched.halt.blamed for name in cells.names], dtype=np.bool_)
    return _results(plan, cells, conclude(plan, cells, harmed, looks), log_e, harmed)


def _results(
    plan: JudgePlan, cells: Cells, conclusions: Conclusions, log_e: Floats, harmed: Flags
) -> tuple[MetricResult, ...]:
    control, candidate = cells.control.estimates, cells.candidate.estimates
    effect = np.where(cells.measured, candidate.value - control.value, np.nan)
    difference, look = intervals.Difference.of(cells, plan.alpha), conclusions.look
    columns: dict[str, Sequence[object]] = {
        "metric": [metric.key for metric in cells.metrics],
        "role": [metric.role for metric in cells.metrics],
        "variant": cells.variants,
        "control_value": _plain(np.where(cells.measured, control.value, np.nan)),
        "variant_value": _plain(np.where(cells.measured, candidate.value, np.nan)),
        "control_units": _counts(control.units),
        "variant_units": _counts(candidate.units),
        "effect": _plain(effect),
        "relative": _plain(effect / np.abs(control.value)),
        "interval": _intervals(intervals.planned(cells, difference)),
        "relative_interval": _intervals(intervals.relative(cells, difference)),
        "anytime_interval": _intervals(intervals.at_all_times(plan, cells, difference)),
        "p_value": _plain(conclusions.p_value),
        "log_harm": _plain(log_e),
        "harmed": harmed.tolist(),
        "verdict": conclusions.verdicts,
        "information_fraction": _plain(look.fraction),
        "note": conclusions.notes,
        "look_interval": _intervals(intervals.at_looks(cells, difference, look)),
        "critical_value": _plain(conclusions.critical),
        "information": _plain(look.information),
        "harmed_at_look": conclusions.harmed.tolist(),
        "variance_removed": _plain(cells.variance_removed),
        "not_adjusted": [""] * len(cells.metrics),
    }
    return tuple(rows_of(MetricResult, columns))


def _counts(units: Floats) -> list[int]:
    counts: list[int] = np.where(np.isfinite(units), units, 0.0).astype(np.int64).tolist()
    return counts


def _intervals(ends: tuple[Floats, Floats]) -> list[Interval | None]:
    low, high = ends
    return _known(rows_of(Interval, {"low": low.tolist(), "high": high.tolist()}), np.isfinite(low) & np.isfinite(high))


def _plain(values: Floats) -> list[float | None]:
    return _known(values.tolist(), np.isfinite(values))


def _known(found: Sequence[Found], known: Flags) -> list[Found | None]:
    """What was found, and None where it is not known."""
    row: list[Found | None] = list(found)
    for place in np.flatnonzero(~known).tolist():
        row[place] = None
    return row
