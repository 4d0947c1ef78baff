"""A cell is one metric of one candidate beside the control; here all cells of a plan stand in columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from experiments.stats.arrays import Flags, Floats
from experiments.stats.columns import Estimates, SumsColumns
from experiments.stats.metrics import ESTIMATORS
from experiments.stats.metrics.ratio import effective_count
from experiments.stats.types import Direction, Evidence, JudgePlan, MarginKind, MetricPlan, MetricType, Role, UnitSums

RARE_EVENTS = 20.0
"""Events of the rarer kind from which on estimates are about normal (arXiv 2103.06476, section 4)."""

NOTHING = UnitSums(0, 0.0, 0.0, 0.0, 0.0, 0.0)

Name = tuple[str, str]
"""A cell's metric and candidate."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of every cell: its estimates, its rare events and its independent trials (NaN where it has none)."""

    estimates: Estimates
    rare_events: Floats
    trials: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """Every (metric, candidate) of a plan, with both arms and the two together.

    `measured` says whether both arms gave an estimate, and `notes` why not.
    """

    metrics: tuple[MetricPlan, ...]
    variants: tuple[str, ...]
    candidate: Arm
    control: Arm
    pooled: Arm
    notes: tuple[str, ...]
    roles: NDArray[np.str_]
    measured: Flags
    minimum_effect: Floats
    harm_sign: Floats
    margin: Floats
    relative_margin: Flags
    is_share: Flags

    @property
    def names(self) -> list[Name]:
        """Metric and candidate of each."""
        return [(metric.key, variant) for metric, variant in zip(self.metrics, self.variants, strict=True)]

    @property
    def rare(self) -> Flags:
        """Whether an arm has so few events that only a score test is right."""
        fewest = np.minimum(self.candidate.rare_events, self.control.rare_events)
        return np.asarray(self.measured & np.isfinite(self.candidate.trials) & (fewest < RARE_EVENTS), dtype=np.bool_)

    def counts_at(self, places: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats]:
        """Value and independent trials of the candidate and of the control, for the score tests."""
        candidate, control = self.candidate, self.control
        return (
            candidate.estimates.value[places],
            candidate.trials[places],
            control.estimates.value[places],
            control.trials[places],
        )

    def has_role(self, role: Role) -> Flags:
        """Which cells have this role."""
        return np.asarray(self.roles == role.value, dtype=np.bool_)


def candidates_of(plan: JudgePlan) -> tuple[str, ...]:
    """The variants that are compared with the control; one without a share of units is not."""
    return tuple(variant for variant, share in plan.shares.items() if variant != plan.control and share)


def gather(plan: JudgePlan, evidence: Evidence) -> Cells:
    """Put the plan and its evidence in columns."""
    return gather_without(plan, evidence, {})


def gather_without(plan: JudgePlan, evidence: Evidence, troubles: Mapping[Name, str]) -> Cells:
    """Put the plan and its evidence in columns; cells with troubles have those as notes, as if nothing was measured."""
    places = list(product(plan.metrics, candidates_of(plan)))
    metrics, variants = [metric for metric, _ in places], [variant for _, variant in places]
    treated = [evidence.sums.get((metric.key, variant), NOTHING) for metric, variant in places]
    untreated = [evidence.sums.get((metric.key, plan.control), NOTHING) for metric in metrics]
    troubled = [troubles.get((metric.key, variant), "") for metric, variant in places]
    for place in [place for place, trouble in enumerate(troubled) if trouble]:
        treated[place] = untreated[place] = NOTHING
    cells = arrange(metrics, variants, SumsColumns.of(treated), SumsColumns.of(untreated))
    notes = tuple(trouble or note for trouble, note in zip(troubled, cells.notes, strict=True))
    return replace(cells, notes=notes) if troubles else cells


def arrange(
    metrics: Sequence[MetricPlan], variants: Sequence[str], candidate: SumsColumns, control: SumsColumns
) -> Cells:
    """Cells from columns of sums, one entry each. What cannot be estimated has a note and NaN."""
    types = [metric.type for metric in metrics]
    apart = np.stack([_design_effect(types, arm) for arm in (candidate, control)])
    # Where one arm has no trials, as its values are no events, the cell has none.
    design_effect = np.where(np.isnan(apart).any(axis=0), np.nan, _design_effect(types, candidate + control))
    notes = _notes(types, candidate, control)
    return Cells(
        metrics=tuple(metrics),
        variants=tuple(variants),
        candidate=_arm(types, candidate, design_effect),
        control=_arm(types, control, design_effect),
        pooled=_arm(types, candidate + control, design_effect),
        notes=notes,
        roles=np.array([metric.role.value for metric in metrics], dtype=np.str_),
        measured=np.array([not note for note in notes], dtype=np.bool_),
        minimum_effect=np.array([metric.minimum_effect for metric in metrics], dtype=np.float64),
        harm_sign=np.array([1.0 if m.direction is Direction.DECREASE else -1.0 for m in metrics]),
        margin=np.array([m.margin if m.role is Role.GUARDRAIL else 0.0 for m in metrics]),
        relative_margin=np.array([m.margin_kind is MarginKind.RELATIVE for m in metrics], dtype=np.bool_),
        is_share=np.array([kind is MetricType.PROPORTION for kind in types], dtype=np.bool_),
    )


def _arm(types: Sequence[MetricType], sums: SumsColumns, design_effect: Floats) -> Arm:
    value, variance, degrees, rare = (np.full_like(sums.units, np.nan) for _ in range(4))
    for kind, places in _places(types):
        estimates = ESTIMATORS[kind].estimate(sums.at(places))
        value[places], variance[places], degrees[places] = estimates.value, estimates.variance, estimates.degrees
        rare[places] = ESTIMATORS[kind].rare_events(sums.at(places))
    effective = effective_count(sums.sum_d, sums.sum_dd)
    # A few units that hold most of the denominator are what the variance is learnt from, however many others there are.
    variance *= effective / (effective - 1.0) * (sums.units - 1.0) / sums.units
    degrees = np.minimum(degrees, effective - 1.0)
    return Arm(Estimates(sums.units, value, variance, degrees), rare, sums.sum_d / design_effect)


def _design_effect(types: Sequence[MetricType], sums: SumsColumns) -> Floats:
    effect = np.full_like(sums.units, np.nan)
    for kind, places in _places(types):
        effect[places] = ESTIMATORS[kind].design_effect(sums.at(places))
    return effect


def _places(types: Sequence[MetricType]) -> Iterator[tuple[MetricType, NDArray[np.intp]]]:
    for kind in set(types):
        yield kind, np.flatnonzero([each is kind for each in types])


def _notes(types: Iterable[MetricType], candidate: SumsColumns, control: SumsColumns) -> tuple[str, ...]:
    """Why a cell cannot be estimated, in words; empty where it can."""
    kinds = list(types)
    few = (candidate.units < 2) | (control.units < 2)
    is_quantile = np.array([kind is MetricType.QUANTILE for kind in kinds], dtype=np.bool_)
    findings = (
        (~_finite(candidate) | ~_finite(control), "A sum is not a number: the evidence is broken."),
        (_impossible(candidate, kinds) | _impossible(control, kinds), "The sums contradict each other."),
        (few & is_quantile, "Too few users or requests in an arm for this quantile."),
        (few, "An arm has fewer than two units."),
        ((candidate.sum_d == 0) | (control.sum_d == 0), "An arm's denominator is zero."),
    )
    return first_notes(findings)


def first_notes(findings: Sequence[tuple[Flags, str]]) -> tuple[str, ...]:
    """The first finding that is true of each cell; empty where none is."""
    flags, texts = zip(*findings, strict=True)
    return tuple(np.select(flags, texts, "").tolist())


def _finite(sums: SumsColumns) -> Flags:
    columns = (sums.units, sums.sum_y, sums.sum_d, sums.sum_yy, sums.sum_dd, sums.sum_yd)
    return np.asarray(np.isfinite(np.stack(columns)).all(axis=0), dtype=np.bool_)


def _impossible(sums: SumsColumns, types: Sequence[MetricType]) -> Flags:
    """Sums that no data can have: negative counts or squares, squares below the square of the sum, shares above 1."""
    negative = (sums.units < 0) | (sums.sum_yy < 0) | (sums.sum_dd < 0)
    # By Cauchy and Schwarz, in roots so that nothing overflows.
    root_n, root_yy, root_dd = (np.sqrt(each) * (1.0 + 1e-9) for each in (sums.units, sums.sum_yy, sums.sum_dd))
    too_small = (np.abs(sums.sum_y) > root_n * root_yy) | (np.abs(sums.sum_d) > root_n * root_dd)
    share = np.array([kind is MetricType.PROPORTION for kind in types], dtype=np.bool_)
    outside = share & ((sums.sum_y < 0) | (sums.sum_y > sums.units))
    denominator = ~share & (sums.sum_d < 0)
    return negative | too_small | outside | denominator
