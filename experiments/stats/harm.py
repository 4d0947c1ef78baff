"""Evidence of harm beyond the margin, valid at every look, and the halt that follows from it."""

import math

import numpy as np

from experiments.stats import anytime
from experiments.stats.cells import RARE_EVENTS, Cells
from experiments.stats.columns import Flags, Floats
from experiments.stats.contrast import Contrast, linear_contrast, with_pooled_variance
from experiments.stats.noninferiority import harm_contrast
from experiments.stats.types import Halt, JudgePlan, Role

LARGEST_EFFECT = 8.0
SCALES = 5
"""Effects are looked for from the minimum effect up to this many times the control's value, in this many steps."""


def log_harm(plan: JudgePlan, cells: Cells) -> Floats:
    """Log e-value of each cell against "worse by no more than the margin"; NaN before the burn-in is over.

    A relative margin is one of |control|. The control's true sign is not known, so the smaller e-value of both signs
    counts, which is valid whichever is true.
    """
    scales = effect_scales(cells)
    log_e = [_one_sign(cells, sign, scales) for sign in (1.0, -1.0)]
    return np.where(is_burnt_in(plan, cells) & cells.measured, np.minimum(*log_e), np.nan)


def monitoring_contrast(cells: Cells, *, factor: Floats, shift: Floats) -> Contrast:
    """The contrast candidate - factor · control - shift for looks at any time.

    Its variance is that of all units together, as the hypothesis says; where equal values do not imply equal variances
    it is never below Welch's, so an arm that merely varies more raises no alarm.
    """
    candidate, control = cells.candidate.estimates, cells.control.estimates
    pooled = with_pooled_variance(candidate, control, cells.pooled.estimates)
    together = linear_contrast(*pooled, factor=factor, shift=shift)
    apart = linear_contrast(candidate, control, factor=factor, shift=shift)
    larger = np.maximum(together.standard_error, apart.standard_error)
    error = np.where(cells.pools, together.standard_error, larger)
    return Contrast(together.difference, error, together.degrees)


def is_burnt_in(plan: JudgePlan, cells: Cells) -> Flags:
    """Whether both arms have the plan's minimum of units and the smaller one expects 20 rare events."""
    candidate, control = cells.candidate.estimates.units, cells.control.estimates.units
    smaller = np.minimum(candidate, control)
    expected = cells.pooled.rare_events * smaller / (candidate + control)
    return np.asarray((smaller >= plan.minimum_units) & (expected >= RARE_EVENTS), dtype=np.bool_)


def effect_scales(cells: Cells) -> Floats:
    """The mixture's spreads tau, one row a cell, in the metric's unit.

    A plan states its minimum effect relative to the control, and a harm that must be stopped soon is often many
    times that, so several spreads are averaged, from the minimum effect to 8 times the control's value.
    A martingale needs spreads that are fixed before the first look. Relative ones are, by the plan. Their size in the
    metric's unit comes from the control's value snapped to a power of 2, so that it stays where it is while the
    estimate wanders; it never depends on the difference between the arms.
    """
    smallest = np.array([metric.minimum_effect for metric in cells.metrics])[:, None]
    steps = np.linspace(0.0, 1.0, SCALES)
    snapped = np.exp2(np.round(np.log2(baseline(cells))))
    return np.asarray(snapped[:, None] * smallest ** (1.0 - steps) * LARGEST_EFFECT**steps, dtype=np.float64)


def baseline(cells: Cells) -> Floats:
    """The control's size: |value|, or one unit's standard deviation where the value may be zero."""
    control = cells.control.estimates
    error = np.sqrt(control.variance / control.units)
    spread = np.sqrt(cells.pooled.estimates.variance)
    return np.where(np.abs(control.value) > 2.0 * error, np.abs(control.value), spread)


def halt(plan: JudgePlan, cells: Cells, log_e: Floats) -> Halt:
    """Stop when the mean of all guardrails' e-values reaches 1 / halt_alpha.

    The mean of e-values is one under any dependence, so the whole rollout halts by mistake with a probability of
    halt_alpha at the most. What is not measured yet counts as zero.
    Reference: Vovk and Wang, E-values: calibration, combination and applications (Ann. Stat. 2021).
    """
    guarded = np.flatnonzero(cells.has_role(Role.GUARDRAIL))
    threshold = -math.log(plan.halt_alpha)
    found = np.where(np.isnan(log_e[guarded]), -np.inf, log_e[guarded])
    if not np.isfinite(found).any():
        return Halt(0.0, threshold, reached=False, blamed=())
    combined = float(anytime.averaged(found))
    reached = combined >= threshold
    blamed = guarded[_blamed(found, threshold)] if reached else guarded[:0]
    names = tuple((cells.metrics[place].key, cells.variants[place]) for place in blamed)
    return Halt(combined, threshold, reached, names)


def _one_sign(cells: Cells, sign: float, scales: Floats) -> Floats:
    contrast = harm_contrast(cells, np.full_like(cells.margin, sign), monitoring_contrast)
    ratios = scales**2 * contrast.information[:, None]
    return anytime.averaged(anytime.one_sided_log_e(contrast.z[:, None], ratios))


def _blamed(log_e: Floats, threshold: float) -> list[int]:
    """All that reach the threshold alone, else the fewest that reach it together."""
    share = log_e - math.log(len(log_e))
    alone = np.flatnonzero(share >= threshold)
    if alone.size:
        return [int(place) for place in alone]
    order = np.argsort(-share)
    together = np.logaddexp.accumulate(share[order])
    return [int(place) for place in order[: int(np.argmax(together >= threshold)) + 1]]
