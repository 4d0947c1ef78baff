"""A cell is one metric of one candidate beside the control; here all cells of a plan stand in columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.stats.columns import Estimates, Flags, Floats, SumsColumns
from experiments.stats.metrics import ESTIMATORS
from experiments.stats.types import Direction, Evidence, JudgePlan, MarginKind, MetricPlan, MetricType, Role, UnitSums

NOTHING = UnitSums(0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of every cell: its estimates and how many rare events it holds."""

    estimates: Estimates
    rare_events: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """Every (metric, candidate) of a plan, with both arms and the two together."""

    metrics: tuple[MetricPlan, ...]
    variants: tuple[str, ...]
    candidate: Arm
    control: Arm
    pooled: Arm
    notes: tuple[str, ...]
    harm_sign: Floats
    margin: Floats
    relative_margin: Flags
    pools: Flags

    @property
    def measured(self) -> Flags:
        """Whether both arms gave an estimate."""
        return np.array([not note for note in self.notes], dtype=np.bool_)

    def has_role(self, role: Role) -> Flags:
        """Which cells have this role."""
        return np.array([metric.role is role for metric in self.metrics], dtype=np.bool_)


def candidates_of(plan: JudgePlan) -> tuple[str, ...]:
    """The variants that are compared with the control; one without a share of units is not."""
    return tuple(variant for variant, share in plan.shares.items() if variant != plan.control and share)


def gather(plan: JudgePlan, evidence: Evidence) -> Cells:
    """Put the plan and its evidence in columns. What cannot be estimated has a note and NaN."""
    places = [(metric, variant) for metric in plan.metrics for variant in candidates_of(plan)]
    metrics = tuple(metric for metric, _ in places)
    treated = [evidence.sums.get((metric.key, variant), NOTHING) for metric, variant in places]
    untreated = [evidence.sums.get((metric.key, plan.control), NOTHING) for metric in metrics]
    candidate, control = SumsColumns.of(treated), SumsColumns.of(untreated)
    types = [metric.type for metric in metrics]
    return Cells(
        metrics=metrics,
        variants=tuple(variant for _, variant in places),
        candidate=_arm(types, candidate),
        control=_arm(types, control),
        pooled=_arm(types, candidate + control),
        notes=_notes(types, candidate, control),
        harm_sign=np.array([1.0 if m.direction is Direction.DECREASE else -1.0 for m in metrics]),
        margin=np.array([m.margin if m.role is Role.GUARDRAIL else 0.0 for m in metrics]),
        relative_margin=np.array([m.margin_kind is MarginKind.RELATIVE for m in metrics], dtype=np.bool_),
        pools=np.array([ESTIMATORS[m.type].variance_follows_value for m in metrics], dtype=np.bool_),
    )


def _arm(types: Sequence[MetricType], sums: SumsColumns) -> Arm:
    value, variance, degrees, rare = (np.full_like(sums.units, np.nan) for _ in range(4))
    for kind in set(types):
        places = np.flatnonzero([each is kind for each in types])
        part = sums.at(places)
        estimates = ESTIMATORS[kind].estimate(part)
        value[places], variance[places], degrees[places] = estimates.value, estimates.variance, estimates.degrees
        rare[places] = ESTIMATORS[kind].rare_events(part)
    return Arm(Estimates(sums.units, value, variance, degrees), rare)


def _notes(types: Iterable[MetricType], candidate: SumsColumns, control: SumsColumns) -> tuple[str, ...]:
    """Why a cell cannot be estimated, in words; empty where it can."""
    kinds = list(types)
    findings = (
        (~_finite(candidate) | ~_finite(control), "A sum is not a number: the evidence is broken."),
        (_impossible(candidate, kinds) | _impossible(control, kinds), "The sums contradict each other."),
        ((candidate.units < 2) | (control.units < 2), "An arm has fewer than two units."),
        ((candidate.sum_d == 0) | (control.sum_d == 0), "An arm's denominator is zero."),
    )
    notes = [""] * len(kinds)
    for place in range(len(kinds)):
        notes[place] = next((text for found, text in findings if found[place]), "")
    return tuple(notes)


def _finite(sums: SumsColumns) -> Flags:
    columns = (sums.units, sums.sum_y, sums.sum_d, sums.sum_yy, sums.sum_dd, sums.sum_yd)
    return np.asarray(np.isfinite(np.stack(columns)).all(axis=0), dtype=np.bool_)


def _impossible(sums: SumsColumns, types: Sequence[MetricType]) -> Flags:
    """Sums that no data can have: negative counts or squares, squares below the square of the sum, shares above 1."""
    slack = 1.0 + 1e-9
    negative = (sums.units < 0) | (sums.sum_yy < 0) | (sums.sum_dd < 0)
    too_small = (sums.sum_y**2 > sums.units * sums.sum_yy * slack) | (sums.sum_d**2 > sums.units * sums.sum_dd * slack)
    share = np.array([kind is MetricType.PROPORTION for kind in types], dtype=np.bool_)
    outside = share & ((sums.sum_y < 0) | (sums.sum_y > sums.units))
    denominator = ~share & (sums.sum_d < 0)
    return negative | too_small | outside | denominator
