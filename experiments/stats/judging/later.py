"""Evidence of harm since later starts, so that harm which begins late does not drown in good hours before it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Evidence, HarmSince, JudgePlan, MetricPlan, Role
from experiments.stats.judging.cells import NOTHING, Cells, Name, arrange, candidates_of
from experiments.stats.judging.harm import (
    anytime_alpha,
    has_exact_test,
    has_minimum_units,
    is_burnt_in,
    log_harm,
    monitoring_contrast,
)
from experiments.stats.judging.noninferiority import harm_contrast

BISECTIONS = 60
LEAST_Z, MOST_Z = 1.5, 38.0
PART_FROM_START, PART_OF_STAGES, PART_OF_PLANNED = 0.3, 0.1, 0.6
"""How the first start, those of later stages and planned ones share the alpha of evidence at any time."""

GROWTH = 2.0
"""How many times the information grows while a planned start is used, as its age doubles. Should traffic grow eight
times as much meanwhile, the chance of that start is three to four times its share."""


@dataclass(frozen=True, slots=True)
class Since:
    """Where evidence starts anew: a moment, and its part of the alpha of evidence at any time.

    A start of a `stage` is watched for as long as the stage goes on; any other while its age doubles.
    """

    moment: datetime
    share: float
    stage: bool = False


@dataclass(frozen=True, slots=True)
class LaterEvidence:
    """What was measured as if the experiment had begun at that start: units, and their totals since."""

    since: Since
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Place:
    later: LaterEvidence
    metric: MetricPlan
    variant: str


def harm_since(
    plan: JudgePlan, later: Sequence[LaterEvidence], *, without: frozenset[Name] = frozenset()
) -> tuple[HarmSince, ...]:
    """The guardrails that are shown to be worse than their margin since a later start, the clearest first.

    Each start is judged by its own sums alone against its own share of alpha, divided by the guardrails and candidates;
    those `without` a say keep theirs. The union bound over starts holds whatever their dependence, as with users who
    come back.
    """
    guarded = [metric for metric in plan.metrics if metric.role is Role.GUARDRAIL]
    named = list(product(guarded, candidates_of(plan)))
    heard = [(metric, variant) for metric, variant in named if (metric.key, variant) not in without]
    places = [_Place(each, metric, variant) for each in later for metric, variant in heard]
    if not places:
        return ()
    with np.errstate(all="ignore"):
        cells = _cells(plan, places)
        alpha = anytime_alpha(plan) / len(named) * np.array([place.later.since.share for place in places])
        of_stage = np.array([place.later.since.stage for place in places], dtype=np.bool_)
        excess = np.where(of_stage, log_harm(plan, cells) + np.log(alpha), _log_excess(plan, cells, alpha))
    reached = [place for place in np.argsort(-excess, kind="stable") if excess[place] >= 0.0]
    return tuple(harm_of(cells, int(place), places[place].later.since.moment) for place in reached)


def tail_of_maximum(z: ArrayLike, growth: float = GROWTH) -> Floats:
    """The chance that B(I)/√I ever exceeds z while the information I grows so many times.

    φ(z) [½ (z - 1/z) log(growth) + 2/z] for a Brownian motion B in information time.
    Reference: Miller and Siegmund, Maximally selected chi square statistics (Biometrics 1982); Siegmund, Sequential
    Analysis (1985), section 4.3.

    >>> round(float(tail_of_maximum(3.0)), 6)
    0.00705
    """
    z = np.asarray(z, dtype=np.float64)
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return np.asarray(density * (0.5 * (z - 1.0 / z) * math.log(growth) + 2.0 / z), dtype=np.float64)


def critical_of_maximum(alpha: ArrayLike, growth: float = GROWTH) -> Floats:
    """The z that is ever exceeded with this chance, by bisection.

    >>> round(float(critical_of_maximum(0.0001)), 4)
    4.2212
    """
    alpha = np.asarray(alpha, dtype=np.float64)
    low, high = np.full_like(alpha, LEAST_Z), np.full_like(alpha, MOST_Z)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        likelier = tail_of_maximum(middle, growth) > alpha
        low, high = np.where(likelier, middle, low), np.where(likelier, high, middle)
    return high


def harm_z(cells: Cells) -> Floats:
    """How many normal deviates each cell is worse than its margin; the smaller one of both signs of the control.

    Harmful events of units are compared exactly wherever the margin allows: a binomial tail, given all events.
    """
    contrasts = [harm_contrast(cells, np.full_like(cells.margin, sign), monitoring_contrast) for sign in (1.0, -1.0)]
    found = np.minimum(*(contrast.normal_z for contrast in contrasts))
    exact = has_exact_test(cells)
    found[exact] = _exact_z(cells)[exact]
    return np.asarray(found, dtype=np.float64)


def _cells(plan: JudgePlan, places: Sequence[_Place]) -> Cells:
    treated = [place.later.evidence.sums.get((place.metric.key, place.variant), NOTHING) for place in places]
    untreated = [place.later.evidence.sums.get((place.metric.key, plan.control), NOTHING) for place in places]
    metrics, variants = [place.metric for place in places], [place.variant for place in places]
    return arrange(metrics, variants, SumsColumns.of(treated), SumsColumns.of(untreated))


def _log_excess(plan: JudgePlan, cells: Cells, alpha: Floats) -> Floats:
    """By how much z²/2 exceeds what is asked for; never where a cell has no say yet."""
    z = harm_z(cells)
    heard = cells.measured & np.isfinite(z) & (z > 0.0) & _may_speak(plan, cells)
    return np.where(heard, 0.5 * (z**2 - critical_of_maximum(alpha) ** 2), -np.inf)


def _may_speak(plan: JudgePlan, cells: Cells) -> Flags:
    return np.where(has_exact_test(cells), has_minimum_units(plan, cells), is_burnt_in(plan, cells))


def _exact_z(cells: Cells) -> Floats:
    """Of the harmful events, so many come from the candidate: P(at least as many), in normal deviates."""
    candidate, control = cells.candidate.estimates, cells.control.estimates
    ours, theirs = (
        np.where(cells.harm_sign > 0.0, arm.value, 1.0 - arm.value) * arm.units for arm in (candidate, control)
    )
    accepted = candidate.units * (1.0 + cells.margin)
    chance = special.betainc(np.maximum(ours, 1e-9), theirs + 1.0, accepted / (accepted + control.units))
    return np.asarray(-special.ndtri(np.maximum(chance, 1e-300)), dtype=np.float64)


def harm_of(cells: Cells, cell: int, since: datetime | None) -> HarmSince:
    """What a cell shows since a moment, or from the start on."""
    candidate, control = cells.candidate.estimates, cells.control.estimates
    return HarmSince(
        since=since,
        metric=cells.metrics[cell].key,
        variant=cells.variants[cell],
        control_value=float(control.value[cell]),
        variant_value=float(candidate.value[cell]),
        control_units=int(control.units[cell]),
        variant_units=int(candidate.units[cell]),
    )
