"""The judge: from a plan and its evidence to intervals, verdicts and the evidence of harm."""

import math

import numpy as np

from experiments.stats import intervals
from experiments.stats.arrays import Flags, Floats
from experiments.stats.cells import Cells, gather
from experiments.stats.harm import halt, log_harm
from experiments.stats.plan import check_plan
from experiments.stats.promotion import Conclusions, conclude
from experiments.stats.sample_ratio import sample_ratio
from experiments.stats.types import Evidence, Halt, Interval, JudgePlan, MetricResult, PastLooks, Results

NO_LOOKS = PastLooks()


def judge(plan: JudgePlan, evidence: Evidence, *, looks: PastLooks = NO_LOOKS) -> Results:
    """Judge the evidence, after the looks that were taken before.

    `halt` may be acted on whenever one looks. Verdicts are those of a look at this moment: they may be acted on if it
    is then counted as one, and passed on in `looks` from then on; between looks they are for display.
    A metric that cannot be judged gets the verdict *insufficient* with a note and hides no other.

    Raises:
        InvalidPlan: `shares-sum`, `control-unknown`, `metric-twice`, `plan-range` or `metric-range`.
        InvalidEvidence: `units-negative`.

    >>> from experiments.stats.types import *
    >>> errors = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)
    >>> plan = JudgePlan((errors,), "control", {"control": 0.5, "new": 0.5})
    >>> sums = {("errors", "control"): UnitSums(5000, 100, 5000, 100, 5000, 100),
    ...         ("errors", "new"): UnitSums(5000, 260, 5000, 260, 5000, 260)}
    >>> judge(plan, Evidence({"control": 5000, "new": 5000}, sums)).halt.blamed
    (('errors', 'new'),)
    """
    check_plan(plan)
    with np.errstate(all="ignore"):
        cells = gather(plan, evidence)
        log_e = log_harm(plan, cells)
        stop = halt(plan, cells, log_e)
        harmed = _is_blamed(cells, stop)
        conclusions = conclude(plan, cells, harmed, looks)
        results = _results(plan, cells, conclusions, log_e, harmed)
    return Results(results, sample_ratio(plan.shares, evidence.units), stop)


def _is_blamed(cells: Cells, stop: Halt) -> Flags:
    names = zip((metric.key for metric in cells.metrics), cells.variants, strict=True)
    return np.array([name in stop.blamed for name in names], dtype=np.bool_)


def _results(
    plan: JudgePlan, cells: Cells, conclusions: Conclusions, log_e: Floats, harmed: Flags
) -> tuple[MetricResult, ...]:
    control, candidate = cells.control.estimates, cells.candidate.estimates
    effect = np.where(cells.measured, candidate.value - control.value, np.nan)
    numbers = [
        _plain(np.where(cells.measured, control.value, np.nan)),
        _plain(np.where(cells.measured, candidate.value, np.nan)),
        [0 if math.isnan(units) else int(units) for units in control.units.tolist()],
        [0 if math.isnan(units) else int(units) for units in candidate.units.tolist()],
        _plain(effect),
        _plain(effect / np.abs(control.value)),
        _intervals(intervals.planned(cells, plan.alpha)),
        _intervals(intervals.relative(cells, plan.alpha)),
        _intervals(intervals.at_all_times(plan, cells)),
        _plain(conclusions.p_value),
        _plain(log_e),
        harmed.tolist(),
        conclusions.verdicts,
        _plain(conclusions.look.fraction),
        conclusions.notes,
        _intervals(intervals.at_looks(cells, conclusions.look, plan.alpha)),
        _plain(conclusions.critical),
        _plain(conclusions.look.information),
    ]
    names = zip(cells.metrics, cells.variants, strict=True)
    return tuple(
        MetricResult(metric.key, metric.role, variant, *row)
        for (metric, variant), row in zip(names, zip(*numbers, strict=True), strict=True)
    )


def _intervals(ends: tuple[Floats, Floats]) -> list[Interval | None]:
    pairs = zip(ends[0].tolist(), ends[1].tolist(), strict=True)
    return [Interval(low, high) if math.isfinite(low) and math.isfinite(high) else None for low, high in pairs]


def _plain(values: Floats) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
