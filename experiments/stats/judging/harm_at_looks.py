"""Which guardrails a look shows to be worse than their margin, surely enough for a halt."""

import numpy as np
from scipy import special

from experiments.stats.core.arrays import Flags
from experiments.stats.core.contrast import Contrast
from experiments.stats.core.types import JudgePlan, Role
from experiments.stats.judging.cells import Cells
from experiments.stats.judging.harm import PART_OF_LOOKS, is_burnt_in
from experiments.stats.judging.looks import PresentLook


def is_harmed_at_look(plan: JudgePlan, cells: Cells, look: PresentLook, contrast: Contrast) -> Flags:
    """Whether the contrast with the margin is beyond the critical value of its part of halt_alpha.

    Evidence at any time pays for every tick; a look pays for itself alone, so it shows harms that are little beyond
    their margin. The looks' part of halt_alpha is divided equally over guardrails and candidates (Bonferroni), and
    spent as information comes in, by the plan's spending function. With the part for evidence at any time, a rollout
    halts by mistake with a probability of halt_alpha at the most.
    Assumes, as the burn-in sees to, enough events for a normal limit that far out.
    Reference: Lan and DeMets, Discrete sequential boundaries for clinical trials (Biometrika 1983); Jennison and
    Turnbull, Group Sequential Methods (2000), chapter 7.
    """
    guarded = cells.has_role(Role.GUARDRAIL)
    level = looks_level(plan, int(guarded.sum()))
    # No critical value of a look is below that of a single one, so only what is beyond that needs the exact one.
    z = np.where(guarded & contrast.varies, contrast.normal_z, -np.inf)
    possible = z >= -special.ndtri(level)
    if not possible.any():
        return possible
    critical = look.critical(np.where(possible, level, np.nan))
    return np.asarray(possible & is_burnt_in(plan, cells) & (z >= critical), dtype=np.bool_)


def looks_level(plan: JudgePlan, guarded: int) -> float:
    """The part of halt_alpha that all looks together may spend on each of so many guardrails of candidates."""
    return PART_OF_LOOKS * plan.halt_alpha / max(guarded, 1)
