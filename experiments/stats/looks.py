"""How much of the planned information each cell has, and the critical z that a look asks of it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.stats.arrays import Flags, Floats
from experiments.stats.cells import Cells
from experiments.stats.group_sequential import Look, design, first_critical_values, next_critical_value
from experiments.stats.group_sequential.boundaries import LEAST_GROWTH
from experiments.stats.types import JudgePlan, PastLooks, Role

NOTHING = Look(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PresentLook:
    """The look at hand beside those taken; one entry a cell.

    `information` is 1 / standard error² of the contrast that is tested, `fraction` its share of the planned
    information, 1 at the most, as more than the plan needs tells nothing more. Both are the largest until now: see
    `counted`. `shown` is what an earlier look has shown.
    """

    plan: JudgePlan
    past: tuple[tuple[Look, ...], ...]
    shown: Flags
    information: Floats
    fraction: Floats
    last: bool

    def critical(self, level: Floats) -> Floats:
        """Critical z of each cell for its one-sided level; NaN where nothing was measured, or the level is NaN."""
        known = np.isfinite(self.information) & (self.information > 0.0) & np.isfinite(level)
        share = np.where(known, 1.0 if self.last else self.fraction, 0.0)
        critical = np.where(known, first_critical_values(level, share, spending=self.plan.spending), np.nan)
        for place in np.flatnonzero(known):
            if self.past[place]:
                looks = counted((*self.past[place], Look(float(self.information[place]), float(share[place]))))
                critical[place] = next_critical_value(looks, float(level[place]), spending=self.plan.spending)
        return critical


def present_look(plan: JudgePlan, cells: Cells, information: Floats, looks: PastLooks) -> PresentLook:
    """Set the information in hand beside what the plan needs and the looks taken."""
    past = tuple(counted(looks.taken.get(name, ())) for name in cells.names)
    shown = np.array([name in looks.shown for name in cells.names], dtype=np.bool_)
    largest = [(each[-1] if each else NOTHING) for each in past]
    fraction = np.minimum(information / planned_information(plan, cells), 1.0)
    return PresentLook(
        plan,
        past,
        shown,
        np.maximum(information, [look.information for look in largest]),
        np.where(np.isnan(information), np.nan, np.fmax(fraction, [look.fraction for look in largest])),
        looks.last,
    )


def counted(looks: Iterable[Look]) -> tuple[Look, ...]:
    """Looks as they count for spending alpha: each one with the largest information and share until then.

    1 / standard error² is an estimate: a few users with large values make it fall though more was seen. What was spent
    stays spent, so a look without new information takes the place of the one before it, at the same information: it
    asks for the same z, or, where it may spend more, as a last look may, for the z that spends both looks' alpha.
    A look with numbers that no look can have, which a broken record may hold, counts as one without new information.
    Reference: Jennison and Turnbull, Group Sequential Methods (2000), section 7.2.

    >>> counted([Look(10.0, 0.2), Look(8.0, 0.16), Look(20.0, 0.4), Look(15.0, 1.0)])
    (Look(information=10.0, fraction=0.2), Look(information=20.0, fraction=1.0))
    """
    found: list[Look] = []
    for look in looks:
        before = found[-1] if found else NOTHING
        fraction = max(min(look.fraction, 1.0) if math.isfinite(look.fraction) else 0.0, before.fraction)
        if not (math.isfinite(look.information) and look.information > 0.0):
            continue
        if found and look.information <= before.information * (1.0 + LEAST_GROWTH):
            found[-1] = Look(before.information, fraction)
        else:
            found.append(Look(look.information, fraction))
    return tuple(found)


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
