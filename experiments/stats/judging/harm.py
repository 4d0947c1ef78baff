"""Evidence of harm beyond the margin, valid at every look, and the halt that follows from it."""

import math

import numpy as np

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.contrast import Contrast, linear_contrast, with_pooled_variance
from experiments.stats.core.types import Halt, JudgePlan, Role
from experiments.stats.judging.cells import RARE_EVENTS, Cells
from experiments.stats.judging.noninferiority import harm_contrast, with_common_part
from experiments.stats.sequential import anytime, events

LARGEST_EFFECT = 8.0
SCALES = 5
"""Effects are looked for from the minimum effect up to this many times the control's value, in this many steps."""

HUGE_EFFECTS = np.array([64.0, 1024.0])
WEIGHTS = np.concatenate((np.full(SCALES, 0.94 / SCALES), np.full(HUGE_EFFECTS.size, 0.06 / HUGE_EFFECTS.size)))
"""And, with little weight, at these: a few answers that take minutes multiply the mean of answers that take none."""

PART_OF_LOOKS = 0.5
"""The part of halt_alpha that looks spend: a harm little beyond its margin is shown by them alone."""

MOST_UNITS_BEFORE_A_HALT = 1_000
"""A plan's minimum is what it goes on by; one that is larger must not keep harm from being seen."""

MOST_EVIDENCE = 1e300
"""Log of the largest e-value that is told apart from others; finite, so that it can be stored."""


def log_harm(plan: JudgePlan, cells: Cells) -> Floats:
    """Log e-value of each guardrail against "worse by no more than the margin"; NaN where it has no say yet.

    Harmful events of units are compared exactly wherever the margin allows, all else by mixtures from the burn-in on.
    A relative margin is one of |control|. The control's true sign is not known, so the smaller e-value of both signs
    counts, which is valid whichever is true.
    """
    found = np.full_like(cells.margin, np.nan)
    heard = np.flatnonzero(cells.has_role(Role.GUARDRAIL) & cells.measured & has_minimum_units(plan, cells))
    if heard.size:
        found[heard] = _log_harm(plan, cells if heard.size == found.size else cells.at(heard))
    return found


def monitoring_contrast(cells: Cells, *, factor: Floats, shift: Floats) -> Contrast:
    """The contrast candidate - factor · control - shift for looks at any time.

    Its variance is that of all units together, as the hypothesis says; for anything but shares of units
    it is never below Welch's, so an arm that merely varies more raises no alarm.
    """
    candidate, control = cells.candidate.estimates, cells.control.estimates
    pooled = with_pooled_variance(candidate, control, cells.pooled.estimates)
    together = linear_contrast(*pooled, factor=factor, shift=shift)
    apart = linear_contrast(candidate, control, factor=factor, shift=shift)
    larger = np.maximum(together.standard_error, apart.standard_error)
    error = np.where(cells.is_share, together.standard_error, larger)
    return with_common_part(Contrast(together.difference, error, apart.degrees), cells, factor)


def has_exact_test(cells: Cells) -> Flags:
    """Whether the margin is one of the rate of harmful events: relative, for events that are to be few, or zero."""
    few_are_better = cells.relative_margin & (cells.harm_sign > 0.0)
    return np.asarray(cells.is_share & (few_are_better | (cells.margin == 0.0)), dtype=np.bool_)


def has_minimum_units(plan: JudgePlan, cells: Cells) -> Flags:
    """Whether both arms have the plan's minimum of units, or as many as a halt waits for at the most."""
    smaller = np.minimum(cells.candidate.estimates.units, cells.control.estimates.units)
    return np.asarray(smaller >= min(plan.minimum_units, MOST_UNITS_BEFORE_A_HALT), dtype=np.bool_)


def is_burnt_in(plan: JudgePlan, cells: Cells) -> Flags:
    """Whether both arms have their minimum of units, and there are rare events enough: 20, and more in unlike arms.

    Without harm each of E events is of the smaller arm with its share p of the units. Its count has the skewness
    (1 - 2p) / sqrt(E p (1 - p)), which is asked to be 1 / sqrt(20) at the most: arms of one size have none.
    """
    candidate, control = cells.candidate.estimates.units, cells.control.estimates.units
    smaller = np.minimum(candidate, control) / (candidate + control)
    skewed = (1.0 - 2.0 * smaller) ** 2 / (smaller * (1.0 - smaller))
    enough = RARE_EVENTS * np.maximum(skewed, 1.0)
    return np.asarray(has_minimum_units(plan, cells) & (cells.pooled.rare_events >= enough), dtype=np.bool_)


def effect_scales(cells: Cells) -> Floats:
    """The mixture's spreads tau, one row a cell, in the metric's unit.

    A plan states its minimum effect relative to the control, and a harm that must be stopped soon is often many
    times that, so several spreads are averaged, from the minimum effect to 8 times the control's value. Evidence of
    harm adds some that are larger.
    A martingale needs spreads that are fixed before the first look. Relative ones are, by the plan. Their size in the
    metric's unit comes from the control's value, snapped to a power of 2 times the standard deviation of one unit: with
    information counted in that deviation, tau² times information follows from the number of units alone, in whatever
    unit the metric is measured. It never depends on the difference between the arms.
    """
    smallest = cells.minimum_effect[:, None]
    steps = np.linspace(0.0, 1.0, SCALES)
    spread = np.sqrt(cells.pooled.estimates.variance)
    snapped = spread * np.exp2(np.round(np.log2(baseline(cells) / spread)))
    return np.asarray(snapped[:, None] * smallest ** (1.0 - steps) * LARGEST_EFFECT**steps, dtype=np.float64)


def baseline(cells: Cells) -> Floats:
    """The control's size: |value|, or one unit's standard deviation where the value may be zero."""
    control = cells.control.estimates
    error = np.sqrt(control.variance / control.units)
    spread = np.sqrt(cells.pooled.estimates.variance)
    return np.where(np.abs(control.value) > 2.0 * error, np.abs(control.value), spread)


def anytime_alpha(plan: JudgePlan) -> float:
    """The part of halt_alpha for evidence at any time; the looks have the rest."""
    return (1.0 - PART_OF_LOOKS) * plan.halt_alpha


def halt(cells: Cells, log_e: Floats, alpha: float) -> Halt:
    """Stop when the mean of all guardrails' e-values reaches 1 / alpha.

    The mean of e-values is one under any dependence, so the whole rollout halts by mistake with a probability of
    alpha at the most. What is not measured yet counts as zero. Several sets of evidence, each with a part of alpha of
    its own, halt by mistake with the sum of their parts at the most.
    Reference: Vovk and Wang, E-values: calibration, combination and applications (Ann. Stat. 2021).
    """
    guarded = np.flatnonzero(cells.has_role(Role.GUARDRAIL))
    threshold = -math.log(alpha)
    found = np.where(np.isnan(log_e[guarded]), -np.inf, np.minimum(log_e[guarded], MOST_EVIDENCE))
    if not np.isfinite(found).any():
        return Halt(0.0, threshold, reached=False, blamed=())
    combined = float(anytime.averaged(found))
    reached = combined >= threshold
    blamed = guarded[_blamed(found, threshold)] if reached else guarded[:0]
    names = tuple((cells.metrics[place].key, cells.variants[place]) for place in blamed)
    return Halt(combined, threshold, reached, names)


def _log_harm(plan: JudgePlan, cells: Cells) -> Floats:
    """Of guardrails with their minimum of units in both arms."""
    known = np.where(is_burnt_in(plan, cells), _mixture(cells), np.nan)
    exact = np.flatnonzero(has_exact_test(cells))
    if exact.size:
        known[exact] = _exact(cells.at(exact))
    return known


def _mixture(cells: Cells) -> Floats:
    """The smaller log e-value of both signs of the control."""
    signs = [np.full_like(cells.margin, sign) for sign in (1.0, -1.0)]
    contrasts = [harm_contrast(cells, sign, monitoring_contrast) for sign in signs]
    z = np.stack([contrast.normal_z for contrast in contrasts])
    information = np.stack([contrast.information for contrast in contrasts])
    scales = effect_scales(cells)
    scales = np.concatenate((scales, scales[:, -1:] * (HUGE_EFFECTS / LARGEST_EFFECT)), axis=1)
    found = anytime.one_sided_log_e(z[..., None], scales**2 * information[..., None])
    return np.asarray(anytime.averaged(found, weights=WEIGHTS).min(axis=0))


def _exact(cells: Cells) -> Floats:
    candidate, control = cells.candidate.estimates, cells.control.estimates
    share = candidate.units / (candidate.units + control.units)
    harmful = [np.where(cells.harm_sign > 0.0, arm.value, 1.0 - arm.value) * arm.units for arm in (candidate, control)]
    batch = [each[:, None] for each in (*harmful, share)]
    return events.ratio_log_e(*batch, accepted=(1.0 + cells.margin)[:, None])[:, -1]


def _blamed(log_e: Floats, threshold: float) -> list[int]:
    """All that reach the threshold alone, else the fewest that reach it together."""
    share = log_e - math.log(len(log_e))
    alone = np.flatnonzero(share >= threshold)
    if alone.size:
        return [int(place) for place in alone]
    order = np.argsort(-share)
    together = np.logaddexp.accumulate(share[order])
    return [int(place) for place in order[: int(np.argmax(together >= threshold)) + 1]]
