"""How a rollout goes if nothing happens: its ticks, its looks, and what each look asks for."""

from dataclasses import dataclass

import numpy as np

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.spending import Look
from experiments.stats.core.types import JudgePlan, MetricPlan, Role
from experiments.stats.judging.cells import Cells, arrange, candidates_of
from experiments.stats.judging.harm_at_looks import looks_level
from experiments.stats.judging.heavy_users import with_failing_heavy_users
from experiments.stats.judging.looks import level_of, planned_information
from experiments.stats.judging.noninferiority import harm_contrast, look_contrast, observed_sign
from experiments.stats.metrics import KINDS
from experiments.stats.metrics.kind import MetricKind
from experiments.stats.planning import Baseline
from experiments.stats.sequential.due import halfway, look_is_due
from experiments.stats.sequential.group_sequential import critical_values
from experiments.stats.simulation.scenario import Rollout

FEWEST_UNITS = 2.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment: hours since the start, units of the control and of each candidate, and whether a look may be taken."""

    hours: float
    control: float
    candidates: tuple[float, ...]
    may_look: bool


@dataclass(frozen=True, slots=True)
class Course:
    """All ticks; the places of those that are looks; and the critical z, shape (looks, cells).

    `halting` has the critical z of a guardrail's harm and `spent` says whether a cell has nothing left to spend after a
    look, both of the same shape.
    """

    ticks: tuple[Tick, ...]
    looks: tuple[int, ...]
    critical: Floats
    halting: Floats
    spent: Flags


def course_of(rollout: Rollout) -> Course:
    """Stages end when their stay is over and their units are there; looks come with each step of information.

    Both follow the plan and the expected information, so they are the same in all runs, and critical values need to
    be found once.
    """
    ticks = _ticks(rollout)
    pairs = [_information(rollout, tick) for tick in ticks]
    information, fractions = (np.stack(columns) for columns in zip(*pairs, strict=True))
    looks = _looks(rollout.plan, ticks, fractions)
    spending = np.minimum(fractions[looks], 1.0)
    spending[-1] = 1.0
    return Course(
        tuple(ticks),
        tuple(looks),
        _critical(rollout.plan, information[looks], spending),
        _halting(rollout.plan, information[looks], spending),
        spending >= 1.0,
    )


def cells_of(plan: JudgePlan) -> list[tuple[MetricPlan, str]]:
    """Metric and candidate of each cell, in the judge's order."""
    return [(metric, variant) for metric in plan.metrics for variant in candidates_of(plan)]


def _ticks(rollout: Rollout) -> list[Tick]:
    """As many ticks in each stage, denser towards its beginning, when most is unknown."""
    plan, now, ticks = rollout.plan, 0.0, []
    shares = [plan.shares[variant] for variant in candidates_of(plan)]
    count = rollout.ticks // len(rollout.stages)
    for stage in rollout.stages:
        is_last = stage is rollout.stages[-1]
        wanted = max(stage.units, plan.minimum_units) / (min(plan.shares[plan.control], *shares) * stage.coverage)
        ready = min(max(now + stage.soak_hours, rollout.arrivals.hours_until(wanted)), rollout.maximum_hours)
        ends = rollout.maximum_hours if is_last else ready
        moments = now + (ends - now) * (np.arange(1, count + 1) / count) ** 1.5
        for hours in np.union1d(moments, [ready]).tolist():
            units = float(rollout.arrivals.units(hours)) * stage.coverage
            candidates = tuple(units * share for share in shares)
            ticks.append(Tick(hours, units * plan.shares[plan.control], candidates, is_last and hours >= ready))
        now = ends
    return [tick for tick in ticks if min(tick.control, *tick.candidates) >= FEWEST_UNITS] or ticks[-1:]


def _information(rollout: Rollout, tick: Tick) -> tuple[Floats, Floats]:
    """Information of each cell if nothing differs, and its share of what the plan needs."""
    cells = _expected_cells(rollout, tick)
    with np.errstate(all="ignore"):
        tested = with_failing_heavy_users(cells, harm_contrast(cells, observed_sign(cells), look_contrast))
        information = tested.information
        return information, information / planned_information(rollout.plan, cells)


def _expected_cells(rollout: Rollout, tick: Tick) -> Cells:
    cells, names = cells_of(rollout.plan), candidates_of(rollout.plan)
    candidate = [
        _expected_sums(KINDS[metric.type], rollout.baselines[metric.key], tick.candidates[names.index(variant)])
        for metric, variant in cells
    ]
    control = [_expected_sums(KINDS[metric.type], rollout.baselines[metric.key], tick.control) for metric, _ in cells]
    new, old = (SumsColumns(*np.array(rows).T) for rows in (candidate, control))
    heavy = heavy_at(rollout, tick)
    return arrange([metric for metric, _ in cells], [variant for _, variant in cells], new, old, heavy=heavy)


def heavy_at(rollout: Rollout, tick: Tick) -> Floats:
    """What heavy units send by then, of each cell of a share of requests; 0 for all other cells."""
    largest = max(tick.control, *tick.candidates)
    known = [(metric, rollout.baselines[metric.key]) for metric, _ in cells_of(rollout.plan)]
    return np.array(
        [each.heaviest(largest) * each.denominator if metric.counts_events else 0.0 for metric, each in known]
    )


def _expected_sums(kind: MetricKind, baseline: Baseline, units: float) -> tuple[float, ...]:
    """Sums over units that are just what one expects, in the order of `SumsColumns`."""
    d = baseline.denominator if kind.is_ratio else 1.0
    y = baseline.value * d
    squares = y if kind.is_share else y**2 + baseline.unit_variance * d**2
    return tuple(units * each for each in (1.0, y, d, squares, d**2, y * d))


def _looks(plan: JudgePlan, ticks: list[Tick], fractions: Floats) -> list[int]:
    """Places of the ticks at which a look is taken, as many as planned at the most.

    They are due as a rollout's are, by the expected progress; the last one, when nothing more can come.
    """
    decisive = [place for place, (metric, _) in enumerate(cells_of(plan)) if metric.role is not Role.OBSERVED]
    shares = np.minimum(fractions[:, decisive], 1.0)
    progress = [halfway(row) for row in shares.tolist()]
    looks: list[int] = []
    for place, tick in enumerate(ticks[:-1]):
        now, before = progress[place], progress[looks[-1]] if looks else 0.0
        if tick.may_look and look_is_due(now, before, taken=len(looks), planned=plan.looks):
            looks.append(place)
            if now >= 1.0:
                return looks
    return [*looks, len(ticks) - 1]


def _halting(plan: JudgePlan, information: Floats, fractions: Floats) -> Floats:
    guarded = [place for place, (metric, _) in enumerate(cells_of(plan)) if metric.role is Role.GUARDRAIL]
    critical = np.full_like(information, np.inf)
    for place in guarded:
        looks = _looks_of(information[:, place], fractions[:, place])
        critical[:, place] = critical_values(looks, looks_level(plan, len(guarded)), spending=plan.spending)
    return critical


def _looks_of(information: Floats, fractions: Floats) -> list[Look]:
    return [Look(amount, share) for amount, share in zip(information.tolist(), fractions.tolist(), strict=True)]


def _critical(plan: JudgePlan, information: Floats, fractions: Floats) -> Floats:
    critical = np.full_like(information, np.inf)
    for place, (metric, _) in enumerate(cells_of(plan)):
        if metric.role is Role.OBSERVED:
            continue
        looks = _looks_of(information[:, place], fractions[:, place])
        critical[:, place] = critical_values(looks, level_of(plan, metric.role), spending=plan.spending)
    return critical
