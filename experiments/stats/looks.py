"""How much of the planned information each cell has, and the critical z that a look asks of it."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.stats.arrays import Flags, Floats
from experiments.stats.cells import Cells
from experiments.stats.group_sequential import Look, design, first_critical_values, next_critical_value
from experiments.stats.types import JudgePlan, PastLooks, Role

SHRUNK = 1e-6


@dataclass(frozen=True, slots=True)
class PresentLook:
    """The look at hand beside those taken; one entry a cell.

    `information` is 1 / standard error² of the contrast that is tested, `fraction` its share of the planned
    information: 1 at the most, as more than the plan needs tells nothing more. `shown` is what an earlier look has
    shown.
    """

    plan: JudgePlan
    past: tuple[tuple[Look, ...], ...]
    shown: Flags
    information: Floats
    fraction: Floats
    last: bool

    @property
    def shrank(self) -> Flags:
        """Where there is less information than at the look before, which only deleted rows explain."""
        before = np.array([looks[-1].information if looks else 0.0 for looks in self.past])
        return np.asarray(self.information < before * (1.0 - SHRUNK), dtype=np.bool_)

    def critical(self, level: Floats) -> Floats:
        """Critical z of each cell for its one-sided level; NaN where nothing was measured or information shrank."""
        known = np.isfinite(self.information) & (self.information > 0.0) & ~self.shrank
        share = np.where(known, 1.0 if self.last else self.fraction, 0.0)
        critical = np.where(known, first_critical_values(level, share, spending=self.plan.spending), np.nan)
        for place in np.flatnonzero(known):
            if self.past[place]:
                look = Look(float(self.information[place]), float(share[place]))
                looks = (*self.past[place], look)
                critical[place] = next_critical_value(looks, float(level[place]), spending=self.plan.spending)
        return critical


def present_look(plan: JudgePlan, cells: Cells, information: Floats, looks: PastLooks) -> PresentLook:
    """Set the information in hand beside what the plan needs and the looks taken."""
    names = [(metric.key, variant) for metric, variant in zip(cells.metrics, cells.variants, strict=True)]
    past = tuple(looks.taken.get(name, ()) for name in names)
    shown = np.array([name in looks.shown for name in names], dtype=np.bool_)
    fraction = np.minimum(information / planned_information(plan, cells), 1.0)
    return PresentLook(plan, past, shown, information, fraction, looks.last)


def planned_information(plan: JudgePlan, cells: Cells) -> Floats:
    """Information at which the test has its power, with what several looks cost: ((z_level + z_power) / distance)².

    The distance is what the test must tell apart: the margin of a guardrail that has one, else the minimum effect.
    """
    size = np.abs(cells.control.estimates.value)
    effect = cells.minimum_effect * size
    margin = np.where(cells.relative_margin, cells.margin * size, cells.margin)
    distance = np.where(margin > 0.0, margin, effect)
    goals = max(int(cells.has_role(Role.GOAL).sum()), 1)
    level = levels(plan, cells) / np.where(cells.has_role(Role.GOAL), goals, 1)
    wanted = special.ndtri(1.0 - level) + special.ndtri(joint_power(plan))
    return np.asarray(price_of_looks(plan) * (wanted / distance) ** 2, dtype=np.float64)


def levels(plan: JudgePlan, cells: Cells) -> Floats:
    """One-sided level of each cell before goals share theirs: alpha for guardrails, half of it for two-sided others."""
    return np.where(cells.has_role(Role.GUARDRAIL), plan.alpha, plan.alpha / 2.0)


def joint_power(plan: JudgePlan) -> float:
    """Power that each guardrail and the goal needs so that all pass together with the plan's: 1 - beta / (G + 1).

    Reference: Schultzberg, Ankargren and Frånberg, Risk-aware product decisions (arXiv 2402.11609).
    """
    guardrails = sum(metric.role is Role.GUARDRAIL for metric in plan.metrics)
    return 1.0 - (1.0 - plan.power) / (guardrails + 1.0)


def price_of_looks(plan: JudgePlan) -> float:
    """How many times the information of a single look the planned looks need for the same power."""
    steps = tuple((number + 1) / plan.looks for number in range(plan.looks))
    return max(design(steps, plan.alpha / 2.0, max(plan.power, 0.5), spending=plan.spending).inflation, 1.0)
