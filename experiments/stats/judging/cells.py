"""A cell is one metric of one candidate beside the control; here all cells of a plan stand in columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.types import (
    Direction,
    JudgePlan,
    MarginKind,
    MetricPlan,
    Role,
    UnitSums,
)
from experiments.stats.metrics import KINDS, estimator_of
from experiments.stats.metrics.kind import Estimator
from experiments.stats.metrics.ratio import effective_count

RARE_EVENTS = 20.0
"""Events of the rarer kind from which on estimates are about normal (arXiv 2103.06476, section 4)."""

HARMLESS_SHARE = 0.02
MOST_SHARE = 0.9
"""Shares of an arm's denominator that one unit may have: without a price, and the most that a price is found for."""

LIKE = 0.8
"""The smaller over the larger arm, from which on counts of both are skewed alike."""

SMALLEST_RATE = 0.001
"""A control without a single event counts as one that has so many, where a margin is relative to it."""

NOTHING = UnitSums(0, 0.0, 0.0, 0.0, 0.0, 0.0)

Name = tuple[str, str]
"""A cell's metric and candidate."""

Places = NDArray[np.intp]

Groups = Sequence[tuple[Estimator, Places]]
"""Each estimator with its cells."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of every cell: its estimates, its rare events and its independent trials (NaN where it has none).

    `denominator` is the sum of its units' denominators. `at_looks` are the estimates with a variance that is safe where
    one unit may have much of the denominator.
    """

    estimates: Estimates
    rare_events: Floats
    trials: Floats
    denominator: Floats
    at_looks: Estimates

    def at(self, places: Places) -> "Arm":
        """Those of the cells at these places."""
        safe = replace(self.estimates.at(places), variance=self.at_looks.variance[places])
        rare_events, trials, denominator = (each[places] for each in (self.rare_events, self.trials, self.denominator))
        return Arm(self.estimates.at(places), rare_events, trials, denominator, safe)


@dataclass(frozen=True)
class Cells:
    """Every (metric, candidate) of a plan, with both arms and the two together.

    `measured` says whether both arms gave an estimate, and `notes` why not. `heavy` is the denominator total of heavy
    units in either arm, zero where it is not known. `common_variance` is that of what adjusted values have in common,
    and `variance_removed` the share that adjusting took off, NaN where nothing is adjusted. What several tests ask for
    is found once.
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
    heavy: Floats
    common_variance: Floats
    variance_removed: Floats

    def at(self, places: Places) -> "Cells":
        """The cells at these places."""
        return Cells(
            metrics=tuple(self.metrics[place] for place in places),
            variants=tuple(self.variants[place] for place in places),
            candidate=self.candidate.at(places),
            control=self.control.at(places),
            pooled=self.pooled.at(places),
            notes=tuple(self.notes[place] for place in places),
            roles=self.roles[places],
            measured=self.measured[places],
            minimum_effect=self.minimum_effect[places],
            harm_sign=self.harm_sign[places],
            margin=self.margin[places],
            relative_margin=self.relative_margin[places],
            is_share=self.is_share[places],
            heavy=self.heavy[places],
            common_variance=self.common_variance[places],
            variance_removed=self.variance_removed[places],
        )

    @cached_property
    def names(self) -> list[Name]:
        """Metric and candidate of each."""
        return [(metric.key, variant) for metric, variant in zip(self.metrics, self.variants, strict=True)]

    @cached_property
    def rare(self) -> Flags:
        """Whether an arm has so few events that only a score test is right."""
        fewest = np.minimum(self.candidate.rare_events, self.control.rare_events)
        return np.asarray(self.measured & np.isfinite(self.candidate.trials) & (fewest < RARE_EVENTS), dtype=np.bool_)

    @cached_property
    def unlike_counts(self) -> Flags:
        """Whether it counts events in arms of unlike sizes."""
        candidate, control = self.candidate.estimates.units, self.control.estimates.units
        unlike = np.minimum(candidate, control) < LIKE * np.maximum(candidate, control)
        return np.asarray(self.measured & self.counts_events & unlike, dtype=np.bool_)

    @cached_property
    def by_score(self) -> Flags:
        """Whether tests and intervals are those of the score test: events are rare, or shares of unlike arms."""
        return np.asarray(self.rare | (self.unlike_counts & self.is_share), dtype=np.bool_)

    @cached_property
    def counts_events(self) -> Flags:
        """Whether the value is a share of units or requests, which is never below zero."""
        return np.isfinite(self.candidate.trials)

    @property
    def control_size(self) -> Floats:
        """What a share of the control is a share of: |control|, and a small rate where it has no event at all."""
        size = np.abs(self.control.estimates.value)
        return np.where(self.has_no_event, SMALLEST_RATE, size)

    @cached_property
    def has_no_event(self) -> Flags:
        """Whether the control counts events and has none."""
        return np.asarray(self.counts_events & (self.control.estimates.value == 0.0), dtype=np.bool_)

    def counts_at(self, places: Places) -> tuple[Floats, Floats, Floats, Floats]:
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


def arrange(
    metrics: Sequence[MetricPlan],
    variants: Sequence[str],
    candidate: SumsColumns,
    control: SumsColumns,
    *,
    heavy: Floats | None = None,
) -> Cells:
    """Cells from columns of sums, one entry each. What cannot be estimated has a note and NaN."""
    stated = Stated.of(metrics)
    groups = stated.groups(nothing=(candidate.sum_yy == 0.0) & (control.sum_yy == 0.0))
    together = candidate + control
    design_effect = _design_effect(groups, together)
    # A numerator that is above zero in one arm and below in the other is no amount that a few units could hold.
    changes_sign = candidate.sum_y * control.sum_y < 0.0
    is_share = stated.flags(lambda metric: KINDS[metric.type].is_share)
    notes = _notes(stated, is_share, candidate, control)
    return Cells(
        metrics=tuple(metrics),
        variants=tuple(variants),
        candidate=_arm(groups, candidate, design_effect, changes_sign),
        control=_arm(groups, control, design_effect, changes_sign),
        pooled=_arm(groups, together, design_effect, changes_sign),
        notes=notes,
        roles=stated.texts(lambda metric: metric.role.value),
        measured=np.array([not note for note in notes], dtype=np.bool_),
        minimum_effect=stated.numbers(lambda metric: metric.minimum_effect),
        harm_sign=stated.numbers(lambda metric: 1.0 if metric.direction is Direction.DECREASE else -1.0),
        margin=stated.numbers(lambda metric: metric.margin if metric.role is Role.GUARDRAIL else 0.0),
        relative_margin=stated.flags(lambda metric: metric.margin_kind is MarginKind.RELATIVE),
        is_share=is_share,
        heavy=np.zeros_like(candidate.units) if heavy is None else heavy,
        common_variance=np.zeros_like(candidate.units),
        variance_removed=np.full_like(candidate.units, np.nan),
    )


@dataclass(frozen=True, slots=True)
class Stated:
    """What the metrics of cells say of themselves; one that stands in many cells is asked once."""

    distinct: tuple[MetricPlan, ...]
    which: Places

    @classmethod
    def of(cls, metrics: Sequence[MetricPlan]) -> "Stated":
        """Of the metric of each cell."""
        distinct = {id(metric): metric for metric in metrics}
        place = {each: number for number, each in enumerate(distinct)}
        return cls(tuple(distinct.values()), np.array([place[id(metric)] for metric in metrics], dtype=np.intp))

    def numbers(self, read: Callable[[MetricPlan], float]) -> Floats:
        """A number of each cell."""
        return np.array([read(metric) for metric in self.distinct], dtype=np.float64)[self.which]

    def flags(self, read: Callable[[MetricPlan], bool]) -> Flags:
        """A flag of each cell."""
        return np.array([read(metric) for metric in self.distinct], dtype=np.bool_)[self.which]

    def texts(self, read: Callable[[MetricPlan], str]) -> NDArray[np.str_]:
        """A text of each cell."""
        return np.array([read(metric) for metric in self.distinct], dtype=np.str_)[self.which]

    def groups(self, *, nothing: Flags) -> Groups:
        """Each estimator with its cells; nothing in either arm is no event, whatever would have been counted."""
        usual, without = ([estimator_of(metric, nothing=none) for metric in self.distinct] for none in (False, True))
        known = {id(each): each for each in (*usual, *without)}
        of_usual, of_none = (np.array([id(each) for each in some], dtype=np.uint64) for some in (usual, without))
        chosen = np.where(nothing, of_none[self.which], of_usual[self.which])
        found = [(estimator, np.flatnonzero(chosen == code)) for code, estimator in known.items()]
        return [(estimator, places) for estimator, places in found if places.size]


def _arm(groups: Groups, sums: SumsColumns, design_effect: Floats, changes_sign: Flags) -> Arm:
    value, variance, degrees, rare = (np.full_like(sums.units, np.nan) for _ in range(4))
    for estimator, places in groups:
        at = sums.at(places)
        estimates = estimator.estimate(at)
        value[places], variance[places], degrees[places] = estimates.value, estimates.variance, estimates.degrees
        rare[places] = estimator.rare_events(at)
    effective = effective_count(sums.sum_d, sums.sum_dd)
    # A few units that hold most of the denominator are what the variance is learnt from, however many others there are.
    variance *= effective / (effective - 1.0) * (sums.units - 1.0) / sums.units
    degrees = np.minimum(degrees, effective - 1.0)
    estimates = Estimates(sums.units, value, variance, degrees)
    safe = replace(estimates, variance=variance * _price_of_the_heaviest(sums.units, effective))
    rare = np.where(changes_sign & np.isnan(design_effect), np.inf, rare)
    return Arm(estimates, rare, sums.sum_d / design_effect, sums.sum_d, safe)


def _price_of_the_heaviest(units: Floats, effective: Floats) -> Floats:
    """What a variance has to be multiplied by, as one unit may have much of the denominator.

    A unit with the share h of it pulls the estimate to itself, so that its own residual is short by 1 - h, and if units
    are skewed it is short most of the time: one of 20 % of the requests made 5 % of false claims 9 (simulated). Squared
    residuals over (1 - h)⁴ keep them (HC4). Of h the sums tell the most that it can be, by Samuelson's inequality
    1/n + sqrt((1/e - 1/n)(1 - 1/n)) with e effective units; up to 2 % does no harm.
    References: Samuelson, How deviant can you be? (JASA 1968); Cribari-Neto, Asymptotic inference under
    heteroskedasticity of unknown form (Comput. Stat. Data Anal. 2004); Bell and McCaffrey (Survey Methodology 2002).

    >>> _price_of_the_heaviest(np.array([1000.0, 1000.0]), np.array([1000.0, 25.0])).round(3).tolist()
    [1.0, 2.234]
    """
    even = 1.0 / units
    harmless = np.clip(even, HARMLESS_SHARE, MOST_SHARE)
    heaviest = even + np.sqrt(np.maximum(1.0 / effective - even, 0.0) * (1.0 - even))
    return np.asarray(((1.0 - harmless) / (1.0 - np.clip(heaviest, harmless, MOST_SHARE))) ** 4.0)


def _design_effect(groups: Groups, sums: SumsColumns) -> Floats:
    effect = np.full_like(sums.units, np.nan)
    for estimator, places in groups:
        effect[places] = estimator.design_effect(sums.at(places))
    return effect


def _notes(stated: Stated, is_share: Flags, candidate: SumsColumns, control: SumsColumns) -> tuple[str, ...]:
    """Why a cell cannot be estimated, in words; empty where it can."""
    few = (candidate.units < 2) | (control.units < 2)
    findings = (
        (~_finite(candidate) | ~_finite(control), "A sum is not a number: the evidence is broken."),
        (_impossible(candidate, is_share) | _impossible(control, is_share), "The sums contradict each other."),
        (few, stated.texts(lambda metric: KINDS[metric.type].few)),
        ((candidate.sum_d == 0) | (control.sum_d == 0), "An arm's denominator is zero."),
    )
    return first_notes(findings)


def first_notes(findings: Sequence[tuple[Flags, str | NDArray[np.str_]]]) -> tuple[str, ...]:
    """The first finding that is true of each cell; empty where none is."""
    flags, texts = zip(*findings, strict=True)
    if not np.any(flags):
        return ("",) * int(flags[0].size)
    return tuple(np.select(flags, texts, "").tolist())


def _finite(sums: SumsColumns) -> Flags:
    columns = (sums.units, sums.sum_y, sums.sum_d, sums.sum_yy, sums.sum_dd, sums.sum_yd)
    return np.asarray(np.isfinite(np.stack(columns)).all(axis=0), dtype=np.bool_)


def _impossible(sums: SumsColumns, is_share: Flags) -> Flags:
    """Sums that no data can have: negative counts or squares, squares below the square of the sum, shares above 1."""
    negative = (sums.units < 0) | (sums.sum_yy < 0) | (sums.sum_dd < 0)
    # By Cauchy and Schwarz, in roots so that nothing overflows.
    root_n, root_yy, root_dd = (np.sqrt(each) * (1.0 + 1e-9) for each in (sums.units, sums.sum_yy, sums.sum_dd))
    too_small = (np.abs(sums.sum_y) > root_n * root_yy) | (np.abs(sums.sum_d) > root_n * root_dd)
    outside = is_share & ((sums.sum_y < 0) | (sums.sum_y > sums.units))
    denominator = ~is_share & (sums.sum_d < 0)
    return negative | too_small | outside | denominator
