"""How much of the planned information each cell has, and the critical z that a look asks of it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.spending import Look, Spending
from experiments.stats.core.types import JudgePlan, PastLooks, Role
from experiments.stats.judging.cells import Cells, candidates_of
from experiments.stats.judging.noninferiority import accepted_harm
from experiments.stats.sequential.group_sequential import design, first_critical_values, next_critical_value
from experiments.stats.sequential.group_sequential.boundaries import LEAST_GROWTH

NOTHING = Look(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PresentLook:
    """The look at hand beside those taken; one entry a cell, and in `past` one by the place of each that had a look.

    `information` is 1 / standard error² of the contrast that is tested, `progress` what that is of the planned
    information, and `fraction` the same but 1 at the most, as more than the plan needs tells nothing more. All are the
    largest until now: see `counted`. `shown` is what an earlier look has shown.
    """

    plan: JudgePlan
    past: Mapping[int, tuple[Look, ...]]
    shown: Flags
    information: Floats
    progress: Floats
    fraction: Floats
    last: bool

    def critical(self, level: Floats) -> Floats:
        """Critical z of each cell for its one-sided level; NaN where nothing was measured, or the level is NaN."""
        known = np.isfinite(self.information) & (self.information > 0.0) & np.isfinite(level)
        share = np.where(known, 1.0 if self.last else self.fraction, 0.0)
        critical = np.where(known, first_critical_values(level, share, spending=self.plan.spending), np.nan)
        for place, past in self.past.items():
            if known[place]:
                present = Look(float(self.progress[place]), float(share[place]))
                critical[place] = _next(past, present, float(level[place]), self.plan.spending)
        return critical


def _next(past: tuple[Look, ...], present: Look, level: float, spending: Spending) -> float:
    """Critical z of a look after others, whose information is in parts of the planned one.

    Without new information it asks for what the look before it asked for. Where it may spend more all the same, as a
    last look does, it may do that whatever its z has to do with the one before (Bonferroni). With more information than
    planned there is nothing left to spend.
    """
    if _grew(past[-1], present):
        return next_critical_value((*past, present), level, spending=spending)
    left = float(spending.spent(level, present.fraction) - spending.spent(level, past[-1].fraction))
    return min(next_critical_value(past, level, spending=spending), -float(special.ndtri(left)))


def _grew(before: Look, look: Look) -> bool:
    return look.information > before.information * (1.0 + LEAST_GROWTH)


def present_look(plan: JudgePlan, cells: Cells, information: Floats, looks: PastLooks) -> PresentLook:
    """Set the information in hand beside what the plan needs and the looks taken."""
    taken = {place: looks.taken[name] for place, name in enumerate(cells.names) if name in looks.taken}
    past = {place: found for place, each in taken.items() if (found := counted(each))}
    shown = np.array([name in looks.shown for name in cells.names], dtype=np.bool_)
    largest, share = np.zeros((2, shown.size))
    for place, looks_before in taken.items():
        largest[place] = max(
            (look.information for look in looks_before if math.isfinite(look.information)), default=0.0
        )
    for place, found in past.items():
        share[place] = found[-1].fraction
    progress = information / planned_information(plan, cells)
    progress = np.where(np.isnan(information), np.nan, np.fmax(progress, share))
    return PresentLook(
        plan,
        past,
        shown,
        np.maximum(information, largest),
        progress,
        np.minimum(progress, 1.0),
        looks.last,
    )


def counted(looks: Iterable[Look]) -> tuple[Look, ...]:
    """Looks as they count for spending alpha: each one that had a larger share of the planned information than before.

    Information is counted in that share. 1 / standard error² is in the metric's unit: where users' totals grow it falls
    all the time, though ever more is known of a margin that is relative to a control which grows too. Looks that
    another metric asked for brought no information then, and at the same z each time they promoted 13 % of candidates
    at their margin (simulated). It is an estimate as well: a few users with large values make it fall though more was
    seen. What was spent stays spent, so a look without new information is none of its own. Nor is one with numbers that
    no look can have, which a broken record may hold.
    Reference: Jennison and Turnbull, Group Sequential Methods (2000), section 7.2.

    >>> counted([Look(10.0, 0.2), Look(8.0, 0.16), Look(20.0, 0.4), Look(15.0, 1.0)])
    (Look(information=0.2, fraction=0.2), Look(information=0.4, fraction=0.4), Look(information=1.0, fraction=1.0))
    """
    found: list[Look] = []
    for look in looks:
        sound = math.isfinite(look.fraction) and math.isfinite(look.information) and look.information > 0.0
        share = min(look.fraction, 1.0) if sound else 0.0
        if share > 0.0 and _grew(found[-1] if found else NOTHING, Look(share, share)):
            found.append(Look(share, share))
    return tuple(found)


def planned_information(plan: JudgePlan, cells: Cells) -> Floats:
    """Information at which the test has its power, with what several looks cost: ((z_level + z_power) / distance)².

    The distance is what the test must tell apart: the margin of a guardrail that has one, else the minimum effect.
    """
    size = np.abs(cells.control.estimates.value)
    # Of a control that is zero no share is an effect: one of what units differ by is.
    effect = cells.minimum_effect * np.where(size > 0.0, size, np.sqrt(cells.pooled.estimates.variance))
    margin = accepted_harm(cells) * _by_both_arms(cells)
    distance = np.where(margin > 0.0, margin, effect)
    wanted = special.ndtri(1.0 - levels(plan, cells)) + special.ndtri(joint_power(plan))
    return np.asarray(price_of_looks(plan) * (wanted / distance) ** 2, dtype=np.float64)


def _by_both_arms(cells: Cells) -> Floats:
    """What both arms say of a small control's size if the candidate is at its margin, over what it says itself.

    A margin relative to a control that has more events by chance is larger, and there seems to be more of the planned
    information just when a candidate looks good: with 19 candidate users beside each of the control, 8 % of candidates
    at their margin were promoted. What both say under the hypothesis has nothing to do with how they differ.
    """
    candidate, control = cells.candidate.estimates, cells.control.estimates
    factor = 1.0 + cells.harm_sign * cells.margin
    together = candidate.units * candidate.value + control.units * control.value
    told = together / ((candidate.units * factor + control.units) * control.value)
    small = cells.unlike_counts & cells.relative_margin & (control.units < candidate.units)
    return np.where(small & (factor > 0.0) & ~cells.has_no_event, told, 1.0)


def levels(plan: JudgePlan, cells: Cells) -> Floats:
    """One-sided level of each cell."""
    return np.where(cells.has_role(Role.GUARDRAIL), level_of(plan, Role.GUARDRAIL), level_of(plan, Role.GOAL))


def level_of(plan: JudgePlan, role: Role) -> float:
    """One-sided level of one test: a candidate's share of alpha for guardrails, half of that for two-sided others.

    Any candidate that passes may be promoted, so candidates share alpha equally (Bonferroni). One candidate is
    promoted only if all its goals and guardrails pass, so that these share nothing: whichever of its hypotheses is
    true, that one has to be rejected, which happens with the probability of its own level at the most.
    Reference: Berger, Multiparameter hypothesis testing and acceptance sampling (Technometrics 1982), theorem 1.
    """
    share = plan.alpha / max(len(candidates_of(plan)), 1)
    return share if role is Role.GUARDRAIL else share / 2.0


def joint_power(plan: JudgePlan) -> float:
    """Power that each of G guardrails and S goals needs so that all pass with the plan's: 1 - beta / (G + S).

    By Bonferroni's inequality for what may be missed, whatever the dependence; without a goal S is 1.
    Reference: Schultzberg, Ankargren and Frånberg, Risk-aware product decisions (arXiv 2402.11609).
    """
    count = {role: sum(metric.role is role for metric in plan.metrics) for role in (Role.GUARDRAIL, Role.GOAL)}
    return 1.0 - (1.0 - plan.power) / (count[Role.GUARDRAIL] + max(count[Role.GOAL], 1))


def price_of_looks(plan: JudgePlan) -> float:
    """How many times the information of a single look the planned looks need for the same power."""
    steps = tuple((number + 1) / plan.looks for number in range(plan.looks))
    return max(design(steps, plan.alpha / 2.0, max(plan.power, 0.5), spending=plan.spending).inflation, 1.0)
