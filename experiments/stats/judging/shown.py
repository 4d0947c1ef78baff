"""What a look may conclude of each cell: shown, shown not to be, or not enough data to say."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.contrast import Contrast, lower_tail
from experiments.stats.core.multiplicity import benjamini_hochberg
from experiments.stats.core.types import JudgePlan, PastLooks, Role, Verdict
from experiments.stats.judging.cells import Cells, first_notes
from experiments.stats.judging.harm import has_exact_test, is_burnt_in
from experiments.stats.judging.harm_at_looks import is_harmed_at_look
from experiments.stats.judging.heavy_users import notes_on_heavy_users, with_failing_heavy_users
from experiments.stats.judging.looks import PresentLook, levels, present_look
from experiments.stats.judging.noninferiority import harm_contrast, look_contrast, observed_sign, sign_is_clear


@dataclass(frozen=True, slots=True)
class Conclusions:
    """One entry a cell: the one-sided p-value, the z that is asked for, whether the look halts, verdict and note."""

    p_value: Floats
    critical: Floats
    look: PresentLook
    harmed: Flags
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def conclude(plan: JudgePlan, cells: Cells, harmed: Flags, looks: PastLooks) -> Conclusions:
    """Non-inferiority within the margin for guardrails, superiority for goals, at the looks' critical values.

    Each cell spends its own level (`level_of`) over the looks, and what one of them has shown stays shown for as long
    as the estimate itself is on the good side: a false hypothesis is ever rejected with its level at the most, so all
    of a candidate's are, at whatever looks, with no more than that. No level is handed on, which would have to be
    planned for (Maurer and Bretz, Multiple testing in group sequential trials using graphical approaches, Stat.
    Biopharm. Res. 2013). Observed metrics decide nothing; among them the false discovery rate is alpha.
    """
    as_seen = harm_contrast(cells, observed_sign(cells), look_contrast)
    contrast = with_failing_heavy_users(cells, as_seen)
    p_value = np.where(cells.measured & contrast.varies, lower_tail(contrast), np.nan)
    known = np.isfinite(p_value)
    look = present_look(plan, cells, np.where(known, contrast.information, np.nan), looks)
    z = special.ndtri(p_value)
    critical = _critical(plan, cells, look, z)
    z_as_seen = special.ndtri(lower_tail(as_seen))
    notes = _notes(plan, cells, p_value, look)
    sure = np.array([not note for note in notes], dtype=np.bool_)
    at_look = sure & is_harmed_at_look(plan, cells, look, as_seen)
    harmed = harmed | at_look
    # What changed since a look is not told by what that look has shown.
    still_shown = look.shown & cells.measured & ~(z > 0.0)
    passed = ~harmed & ((sure & (z <= -critical)) | still_shown)
    # A few events may all be one heavy user's: against a guardrail they show nothing yet.
    told = ~cells.has_role(Role.GUARDRAIL) | is_burnt_in(plan, cells) | has_exact_test(cells)
    failed = harmed | (sure & told & ~still_shown & (z_as_seen >= critical))
    verdicts = tuple(
        Verdict.PASS if good else Verdict.FAIL if bad else Verdict.INSUFFICIENT
        for good, bad in zip(passed.tolist(), failed.tolist(), strict=True)
    )
    held = sure & ~passed & ~failed & (z_as_seen <= -critical)
    notes = notes_on_heavy_users(cells, notes, held, short=critical / z)
    return Conclusions(p_value, critical, look, at_look, verdicts, notes)


def planned_contrast(cells: Cells) -> Contrast:
    """Candidate minus control with the variance for a planned look."""
    return look_contrast(cells, factor=np.ones_like(cells.margin), shift=np.zeros_like(cells.margin))


def _critical(plan: JudgePlan, cells: Cells, look: PresentLook, z: Floats) -> Floats:
    """The z that each cell must reach on the good side."""
    critical = look.critical(levels(plan, cells))
    observed = cells.has_role(Role.OBSERVED)
    critical[observed] = _discovery_threshold(z[observed], plan.alpha)
    return critical


def _discovery_threshold(z: Floats, alpha: float) -> Floats:
    """|z| from which on an observed metric counts as a discovery: where the adjusted two-sided p-value is alpha."""
    known = ~np.isnan(z)
    threshold = np.full_like(z, np.nan)
    if not known.any():
        return threshold
    two_sided = 2.0 * special.ndtr(-np.abs(z[known]))
    found = benjamini_hochberg(two_sided) <= alpha
    share = (found.sum() or 1) / known.sum()
    threshold[known] = -special.ndtri(alpha * share / 2.0)
    return threshold


def _notes(plan: JudgePlan, cells: Cells, p_value: Floats, look: PresentLook) -> tuple[str, ...]:
    """Why a cell can have no verdict yet; empty where it can."""
    few = np.minimum(cells.candidate.estimates.units, cells.control.estimates.units) < plan.minimum_units
    unclear = cells.relative_margin & (cells.margin > 0.0) & ~cells.counts_events & ~sign_is_clear(cells)
    findings = (
        (few, f"A variant has fewer than the {plan.minimum_units} users that the plan asks for."),
        (np.isnan(p_value), "No user differs from another, so chance cannot be told from effect."),
        (unclear, "The control's value may be zero, so a margin relative to it says nothing; use an absolute one."),
    )
    return tuple(note or later for note, later in zip(cells.notes, first_notes(findings), strict=True))
