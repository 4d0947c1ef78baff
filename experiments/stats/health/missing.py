"""Outcomes that never arrive in one arm: its logs are lost, most often those of its slow requests."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from controlplane.problems.problem import Problem
from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import linear_contrast, with_pooled_variance
from experiments.stats.core.errors import InvalidEvidence, require
from experiments.stats.core.types import Finding, Severity, UnitSums
from experiments.stats.health.findings import ALPHA, check_alpha, check_between, check_sums, known_control
from experiments.stats.metrics import ratio
from experiments.stats.sequential.anytime import two_sided_log_e

SPREAD = 0.02
"""Differences in the share of outcomes that the mixture looks for; fixed for a run, or it is no martingale."""
SPREAD_NAME = "spread of differences"

FEWEST_UNITS = 100.0
RARE_EVENTS = 20.0
"""Outcomes of the rarer kind that the smaller arm must expect before estimates are about normal."""


@dataclass(frozen=True, slots=True)
class OutcomeGap:
    """Share of requests (or units) with an outcome in a variant, minus that in the control.

    `p_value` is the two-sided score test of one look, `log_e_value` holds at every look and is 0 during the burn-in.
    """

    variant: str
    share: float
    control_share: float
    p_value: float
    log_e_value: float


def gap_log_e(
    candidate: SumsColumns, control: SumsColumns, *, spread: float = SPREAD, fewest: float = FEWEST_UNITS
) -> tuple[Floats, Floats]:
    """Two-sided log e-value against equal shares of outcomes, and the p-value of a single look.

    Each unit's Y are its requests with an outcome and D all its requests; with D of 1 it is a unit with or without.
    z is the difference over its standard error with the variance of both arms together, which for D of 1 is the score
    test of two proportions, and log E = ½ z² r/(1+r) - ½ log(1+r) with r = spread² / standard error². Before 100 units
    an arm (`fewest`) and 20 expected outcomes of the rarer kind in the smaller arm, log E is 0 and p is 1.
    Assumes independent units, and shares that stay equal while counting: give one stage's sums if they changed.
    References: Howard, Ramdas, McAuliffe and Sekhon (Ann. Stat. 2021); Deng, Knoblich and Lu (KDD 2018).

    >>> complete, gappy = UnitSums(5000, 4900, 5000, 4900, 5000, 4900), UnitSums(5000, 4800, 5000, 4800, 5000, 4800)
    >>> log_e, p = gap_log_e(SumsColumns.of([gappy]), SumsColumns.of([complete]))
    >>> round(float(log_e[0]), 4), round(float(p[0]), 9)
    (14.9118, 5e-09)
    """
    with np.errstate(all="ignore"):
        arms = (ratio.estimate(candidate), ratio.estimate(control), ratio.estimate(candidate + control))
        contrast = linear_contrast(*with_pooled_variance(*arms))
        ready = _burnt_in(candidate, control, fewest) & np.isfinite(contrast.z)
        z = np.where(ready, contrast.z, 0.0)
        log_e = np.where(ready, two_sided_log_e(z, spread**2 * contrast.information), 0.0)
    return log_e, np.asarray(2.0 * special.ndtr(-np.abs(z)), dtype=np.float64)


def outcome_gaps(
    outcomes: Mapping[str, UnitSums], control: str, *, spread: float = SPREAD, fewest: float = FEWEST_UNITS
) -> tuple[OutcomeGap, ...]:
    """Compare every variant's share of outcomes with the control's.

    `outcomes` maps variants to sums with Y the requests with an outcome and D all requests of each unit. Count only
    units exposed longer ago than the attribution window: else the slower arm always looks as if it lost some.

    Raises:
        InvalidArgument: `spread-range`.
        InvalidEvidence: `sums-invalid`, `outcomes-exceed-requests`, `control-missing`.

    >>> complete, gappy = UnitSums(5000, 4900, 5000, 4900, 5000, 4900), UnitSums(5000, 4800, 5000, 4800, 5000, 4800)
    >>> outcome_gaps({"control": complete, "new": gappy}, "control")[0].share
    0.96
    """
    check_between("spread-range", SPREAD_NAME, spread)
    _check_outcomes(outcomes)
    known_control(control, outcomes)
    variants = [variant for variant in outcomes if variant != control and outcomes[variant].sum_d]
    if not variants or not outcomes[control].sum_d:
        return ()
    candidate = SumsColumns.of([outcomes[variant] for variant in variants])
    reference = SumsColumns.of([outcomes[control]] * len(variants))
    log_e, p = gap_log_e(candidate, reference, spread=spread, fewest=fewest)
    shares, controls = candidate.sum_y / candidate.sum_d, reference.sum_y / reference.sum_d
    rows = zip(variants, shares, controls, p, log_e, strict=True)
    return tuple(OutcomeGap(variant, *(float(each) for each in row)) for variant, *row in rows)


def missing_findings(
    outcomes: Mapping[str, UnitSums], control: str, *, spread: float = SPREAD, alpha: float = ALPHA
) -> Iterator[Finding]:
    """Name each variant whose outcomes arrive more or less often than the control's, at any look.

    The e-value must reach variants / alpha (Bonferroni).

    Raises:
        InvalidArgument: `alpha-range`, `spread-range`.
        InvalidEvidence: `sums-invalid`, `outcomes-exceed-requests`, `control-missing`.

    >>> complete, gappy = UnitSums(5000, 4900, 5000, 4900, 5000, 4900), UnitSums(5000, 4800, 5000, 4800, 5000, 4800)
    >>> [found.subject for found in missing_findings({"control": complete, "new": gappy}, "control")]
    ['new']
    """
    check_alpha(alpha)
    gaps = outcome_gaps(outcomes, control, spread=spread)
    for gap in gaps:
        if gap.log_e_value < math.log(len(gaps) / alpha):
            continue
        loser = gap.variant if gap.share < gap.control_share else control
        yield Finding(
            Problem.of(
                "missing-outcomes",
                f"{gap.share:.2%} of {gap.variant} have an outcome, {gap.control_share:.2%} of {control}.",
                f"Find out where outcomes of {loser} are lost: timeouts, crashes, a full queue, a filter.",
            ),
            Severity.BLOCKS_PROMOTION,
            gap.variant,
            p_value=gap.p_value,
            log_e_value=gap.log_e_value,
        )


def _burnt_in(candidate: SumsColumns, control: SumsColumns, fewest: float) -> Flags:
    rare = ratio.rare_events(candidate + control)
    requests = np.minimum(candidate.sum_d, control.sum_d) / np.maximum(candidate.sum_d + control.sum_d, 1.0)
    enough = np.minimum(candidate.units, control.units) >= fewest
    return np.asarray(enough & (rare * requests >= RARE_EVENTS), dtype=np.bool_)


def _check_outcomes(outcomes: Mapping[str, UnitSums]) -> None:
    check_sums(outcomes.values())
    sound = all(0.0 <= arm.sum_y <= arm.sum_d for arm in outcomes.values())
    detail = "An arm has more outcomes than requests, or fewer than none."
    step = "Count requests with an outcome as Y and all requests as D."
    require(sound, lambda: InvalidEvidence("outcomes-exceed-requests", detail, next_step=step))
