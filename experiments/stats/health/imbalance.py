"""Arms that differed before the exposure: randomisation is broken, or an earlier run carries over."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from controlplane.problems.problem import Problem
from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.contrast import Contrast, linear_contrast
from experiments.stats.core.multiplicity import holm
from experiments.stats.core.types import Finding, Severity, UnitSums
from experiments.stats.health.findings import ALPHA, check_alpha, check_sums, known_control
from experiments.stats.health.sample_ratio import CERTAIN
from experiments.stats.metrics import ratio
from experiments.stats.sequential.anytime import two_sided_log_e

FEWEST_UNITS = 100
"""Units of an arm from which on its mean is about normal."""

SPREAD = 0.1
"""Differences that are looked for, in standard deviations of one unit."""

ROUNDING = 1e-9
"""Differences below this part of the value are rounding of sums, not a difference."""


@dataclass(frozen=True, slots=True)
class Imbalance:
    """The difference between a variant and the control before the exposure.

    `difference` is in the metric's unit, `p_value` is two-sided, and `adjusted_p_value` is Holm's over all metrics and
    variants that could be tested; both hold for one look. `log_e_value` is the evidence that holds at every look.
    """

    metric: str
    variant: str
    difference: float
    p_value: float
    adjusted_p_value: float
    log_e_value: float


def imbalances(before: Mapping[str, Mapping[str, UnitSums]], control: str) -> tuple[Imbalance, ...]:
    """Test every metric of every variant against the control on sums from before the exposure.

    `before` maps a metric to the sums of each variant. Welch's test, which for ratios uses the delta method; pairs with
    fewer than 100 units in an arm, or without a denominator, are left out. The p-values hold for one look; the e-value
    is a normal mixture over differences of a tenth of a unit's standard deviation. Units that are new have no past:
    leave them out of both arms. Assumes independent units and a time strictly before exposure.
    References: Welch (Biometrika 1947); Holm (Scand. J. Statist. 1979); Fabijan et al. (KDD 2019); Howard et al., on
    the mixture (Ann. Stat. 2021).

    Raises:
        InvalidEvidence: `sums-invalid`, `control-missing`.

    >>> arm = UnitSums.of(np.arange(1000) % 10)
    >>> later = UnitSums.of(np.arange(1000) % 10 + 0.5)
    >>> found = imbalances({"requests": {"control": arm, "new": later}}, "control")[0]
    >>> found.variant, found.difference, round(found.p_value, 5)
    ('new', 0.5, 0.0001)
    """
    for metric in before.values():
        check_sums(metric.values())
        known_control(control, metric)
    places = [(metric, variant) for metric, arms in before.items() for variant in arms if variant != control]
    places = [(m, v) for m, v in places if _testable(before[m][v]) and _testable(before[m][control])]
    if not places:
        return ()
    treated = SumsColumns.of([before[metric][variant] for metric, variant in places])
    untreated = SumsColumns.of([before[metric][control] for metric, _ in places])
    with np.errstate(all="ignore"):
        arms = ratio.estimate(treated), ratio.estimate(untreated)
        contrast = _contrast(*arms)
        p_values, log_e = _two_sided(contrast), _log_e(contrast, *arms)
    columns = (contrast.difference, p_values, holm(p_values), log_e)
    rows = zip(places, *(column.tolist() for column in columns), strict=True)
    return tuple(Imbalance(*place, *numbers) for place, *numbers in rows)


def imbalance_findings(
    before: Mapping[str, Mapping[str, UnitSums]], control: str, *, alpha: float = ALPHA
) -> Iterator[Finding]:
    """Name each metric and variant whose difference before the exposure has an e-value of pairs / alpha or more.

    Users come one after another, and it is looked at each time: by Bonferroni over metrics and variants a false alarm
    at any look has a chance of alpha at the most.

    Raises:
        InvalidArgument: `alpha-range`.
        InvalidEvidence: `sums-invalid`, `control-missing`.

    >>> arm, other = UnitSums.of(np.arange(1000) % 10), UnitSums.of(np.arange(1000) % 12)
    >>> [found.subject for found in imbalance_findings({"requests": {"control": arm, "new": other}}, "control")]
    ['requests, new']
    """
    check_alpha(alpha)
    tested = imbalances(before, control)
    for found in tested:
        if found.log_e_value < math.log(len(tested) / alpha):
            continue
        yield Finding(
            Problem.of(
                "pre-period-imbalance",
                f"{found.metric} of {found.variant} differed by {found.difference:.4g} from {control} "
                "before the first exposure.",
                "Start again with a new salt: the assignment is not random, or an earlier run carries over.",
            ),
            Severity.BLOCKS_PROMOTION,
            f"{found.metric}, {found.variant}",
            log_e_value=found.log_e_value,
        )


def _testable(arm: UnitSums) -> bool:
    return arm.units >= FEWEST_UNITS and arm.sum_d > 0.0


def _contrast(treated: Estimates, untreated: Estimates) -> Contrast:
    """Means are ratios whose denominator is 1 in every unit, so one estimator serves all metrics."""
    contrast = linear_contrast(treated, untreated)
    equal = _same(treated.value, untreated.value)
    return Contrast(np.where(equal, 0.0, contrast.difference), contrast.standard_error, contrast.degrees)


def _same(first: Floats, second: Floats) -> Flags:
    return np.asarray(np.abs(first - second) <= ROUNDING * np.maximum(np.abs(first), np.abs(second)), dtype=np.bool_)


def _log_e(contrast: Contrast, treated: Estimates, untreated: Estimates) -> Floats:
    """Zero for what says nothing: nothing varies and nothing differs, or values are too large for their squares."""
    variance = (treated.variance + untreated.variance) / 2.0
    found = two_sided_log_e(_deviates(contrast), SPREAD**2 * variance * contrast.information)
    certain = (contrast.standard_error == 0.0) & (contrast.difference != 0.0)
    return np.where(certain, CERTAIN, np.minimum(np.nan_to_num(found, nan=0.0), CERTAIN))


def _deviates(contrast: Contrast) -> Floats:
    return np.divide(
        np.abs(contrast.difference),
        contrast.standard_error,
        out=np.where(contrast.difference == 0.0, 0.0, np.inf),
        where=contrast.standard_error > 0.0,
    )


def _two_sided(contrast: Contrast) -> Floats:
    p_values = np.minimum(2.0 * special.stdtr(contrast.degrees, -_deviates(contrast)), 1.0)
    # Values too large for their squares say nothing.
    return np.where(np.isnan(p_values), 1.0, p_values)
