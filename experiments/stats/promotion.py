"""What a look may conclude of each cell: shown, shown not to be, or not enough data to say."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.stats.cells import Cells
from experiments.stats.columns import Flags, Floats
from experiments.stats.contrast import Contrast, lower_tail
from experiments.stats.multiplicity import holm
from experiments.stats.noninferiority import harm_contrast, look_contrast, observed_sign, sign_is_clear
from experiments.stats.types import JudgePlan, Role, Verdict


@dataclass(frozen=True, slots=True)
class Conclusions:
    """One entry a cell: the one-sided p-value, the share of the information that is needed, verdict and note."""

    p_value: Floats
    information_fraction: Floats
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def conclude(plan: JudgePlan, cells: Cells, harmed: Flags, *, look: bool) -> Conclusions:
    """Non-inferiority within the margin for guardrails, superiority for goals; at a tick only harm fails a guardrail.

    Every guardrail must pass for a promotion, so their alpha is not divided (Berger, Technometrics 1982); goals share
    it by Holm's method and, being two-sided, have half of it on the good side.
    """
    contrast = harm_contrast(cells, observed_sign(cells), look_contrast)
    p_value = np.where(contrast.standard_error > 0.0, lower_tail(contrast), np.nan)
    notes = _notes(plan, cells, p_value)
    level = _levels(plan, cells)
    sure = np.array([not note for note in notes], dtype=np.bool_)
    passed = sure & ~harmed & (_adjusted(cells, p_value) <= level)
    guarded = cells.has_role(Role.GUARDRAIL)
    failed = harmed | (sure & (1.0 - p_value <= level) & (look | ~guarded))
    verdicts = tuple(
        Verdict.PASS if good else Verdict.FAIL if bad else Verdict.INSUFFICIENT
        for good, bad in zip(passed, failed, strict=True)
    )
    return Conclusions(p_value, _information_fraction(plan, cells, contrast), verdicts, notes)


def _levels(plan: JudgePlan, cells: Cells) -> Floats:
    return np.where(cells.has_role(Role.GUARDRAIL), plan.alpha, plan.alpha / 2.0)


def _adjusted(cells: Cells, p_value: Floats) -> Floats:
    """Goals by Holm's method over goals and candidates, an unmeasured one counting as not shown; others as they are."""
    goals = cells.has_role(Role.GOAL)
    adjusted = p_value.copy()
    adjusted[goals] = holm(np.nan_to_num(p_value[goals], nan=1.0))
    return adjusted


def _information_fraction(plan: JudgePlan, cells: Cells, contrast: Contrast) -> Floats:
    """Information in hand over ((z_level + z_power) / distance)², where distance is what the test must tell apart.

    That is the margin of a guardrail that has one, and the minimum effect of all others. Above 1 there is more
    information than planned.
    """
    size = np.abs(cells.control.estimates.value)
    effect = np.array([metric.minimum_effect for metric in cells.metrics]) * size
    margin = np.where(cells.relative_margin, cells.margin * size, cells.margin)
    distance = np.where(margin > 0.0, margin, effect)
    tests = np.where(cells.has_role(Role.GOAL), max(int(cells.has_role(Role.GOAL).sum()), 1), 1)
    wanted = special.ndtri(1.0 - _levels(plan, cells) / tests) + special.ndtri(plan.power)
    return np.asarray(contrast.information * (distance / wanted) ** 2, dtype=np.float64)


def _notes(plan: JudgePlan, cells: Cells, p_value: Floats) -> tuple[str, ...]:
    """Why a cell can have no verdict yet; empty where it can."""
    few = np.minimum(cells.candidate.estimates.units, cells.control.estimates.units) < plan.minimum_units
    unclear = cells.relative_margin & (cells.margin > 0.0) & ~sign_is_clear(cells)
    findings = (
        (few, f"An arm has fewer than the {plan.minimum_units} units that the plan asks for."),
        (np.isnan(p_value), "No unit differs from another, so chance cannot be told from effect."),
        (unclear, "The control's value may be zero, so a margin relative to it says nothing; use an absolute one."),
    )
    return tuple(
        note or next((text for found, text in findings if found[place]), "") for place, note in enumerate(cells.notes)
    )
