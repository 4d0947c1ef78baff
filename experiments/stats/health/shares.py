"""Whether units arrive in the shares that were set: in each stage, in each segment, and not where none should.

A stage is a time with one set of shares. Evidence multiplies over stages, because units of a later stage are new ones,
so the product is a martingale like each factor, and a change of shares biases nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from controlplane.problems.problem import Problem
from experiments.stats.core.types import Finding, Severity
from experiments.stats.health.findings import ALPHA, check_alpha, check_counts
from experiments.stats.health.sample_ratio import CERTAIN, check_shares, sample_ratio

Segment = tuple[str, str]
"""A dimension and one of its values, as ("country", "de")."""

MOST_NAMED = 3
"""Segments that are named beside the one that is furthest off."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the shares it set, and the units first seen in it.

    `shares` maps variants to shares that sum to 1, 0 for a holdout; `units` counts distinct units by variant at their
    first exposure, and `segments` does so for each (dimension, value) of interest.
    """

    name: str
    shares: Mapping[str, float]
    units: Mapping[str, int]
    segments: Mapping[Segment, Mapping[str, int]] = field(default_factory=dict)


def stages_log_e(stages: Sequence[Stage]) -> float:
    """Log e-value against "units arrived in each stage's shares": the sum over stages of `sample_ratio`'s.

    Only variants with a share are compared; units elsewhere are leaks. Assumes that units are assigned independently
    and counted at their first exposure. Valid at every look.
    Reference: Lindon and Malek, Anytime-valid inference for multinomial count data (NeurIPS 2022).

    Raises:
        InvalidPlan: `shares-sum`.
        InvalidEvidence: `counts-invalid`.

    >>> first = Stage("5 %", {"control": 0.95, "new": 0.05}, {"control": 9500, "new": 500})
    >>> second = Stage("50 %", {"control": 0.5, "new": 0.5}, {"control": 10500, "new": 9500})
    >>> round(stages_log_e([first, second]), 3)
    21.097
    """
    return sum(_log_e(stage.shares, stage.units) for stage in stages)


def segments_log_e(stages: Sequence[Stage]) -> dict[Segment, float]:
    """Log e-value of each (dimension, value) over all stages, as `stages_log_e` for its units alone.

    >>> stage = Stage("50 %", {"a": 0.5, "b": 0.5}, {"a": 90, "b": 80}, {("os", "ios"): {"a": 50, "b": 50}})
    >>> {name: round(log_e, 3) for name, log_e in segments_log_e([stage]).items()}
    {('os', 'ios'): -0.048}
    """
    evidence: dict[Segment, float] = {}
    for stage in stages:
        for segment, units in stage.segments.items():
            evidence[segment] = evidence.get(segment, 0.0) + _log_e(stage.shares, units)
    return evidence


def mismatched_segments(stages: Sequence[Stage], *, alpha: float = ALPHA) -> tuple[Segment, ...]:
    """Each (dimension, value) whose units did not arrive in the set shares, the furthest off first.

    Its e-value reaches segments / alpha, by Bonferroni, so that a single false alarm among all of them has a chance of
    alpha at the most, at every look, where all are known from the start. If the m-th appears later it has the threshold
    m / alpha, and the chance is below alpha (1 + 1/2 + ... + 1/m).

    Raises:
        InvalidArgument: `alpha-range`.

    >>> halves = {"a": 0.5, "b": 0.5}
    >>> systems = {("os", "ios"): {"a": 2500, "b": 2500}, ("os", "android"): {"a": 2800, "b": 2200}}
    >>> mismatched_segments([Stage("50 %", halves, {}, systems)])
    (('os', 'android'),)
    """
    check_alpha(alpha)
    evidence = segments_log_e(stages)
    off = [segment for segment, log_e in evidence.items() if log_e >= math.log(len(evidence) / alpha)]
    return tuple(sorted(off, key=lambda segment: -evidence[segment]))


def leaks(stages: Sequence[Stage]) -> dict[tuple[str, str], int]:
    """Count units by (stage, variant) where the variant had a share of 0 or is unknown to the stage.

    Raises:
        InvalidPlan: `shares-sum`.
        InvalidEvidence: `counts-invalid`.

    >>> leaks([Stage("50 %", {"a": 0.5, "b": 0.5, "holdout": 0.0}, {"a": 50, "b": 49, "holdout": 0, "old": 3})])
    {('50 %', 'old'): 3}
    """
    for stage in stages:
        check_shares(stage.shares)
        check_counts(stage.units.values())
    return {
        (stage.name, variant): count
        for stage in stages
        for variant, count in stage.units.items()
        if count and not stage.shares.get(variant, 0.0)
    }


def leak_findings(stages: Sequence[Stage]) -> Iterator[Finding]:
    """Name each variant that was served though its stage gave it no share; one unit is enough, for none may come.

    A chi-square over all listed variants cannot see it: an expected count of 0 has no term in the sum.

    >>> stage = Stage("50 %", {"a": 0.5, "b": 0.5, "c": 0.0}, {"a": 5000, "b": 5000, "c": 100})
    >>> [(found.code, found.subject) for found in leak_findings([stage])]
    [('leak', 'c')]
    """
    for (stage, variant), count in leaks(stages).items():
        yield Finding(
            Problem.of(
                "leak",
                f"{count} users were served by {variant} in stage {stage}, which gives it no share.",
                "Check for a fallback, a stale routing table or a second writer that serves this variant.",
            ),
            Severity.BLOCKS_PROMOTION,
            variant,
            log_e_value=CERTAIN,
        )


def ratio_findings(stages: Sequence[Stage], *, alpha: float = ALPHA) -> Iterator[Finding]:
    """Find a sample ratio mismatch over all stages: an e-value of 1 / alpha or more; valid at every look.

    Raises:
        InvalidArgument: `alpha-range`.

    >>> stage = Stage("50 %", {"control": 0.5, "new": 0.5}, {"control": 5300, "new": 4700})
    >>> [found.subject for found in ratio_findings([stage])]
    ['50 %']
    """
    check_alpha(alpha)
    log_e = stages_log_e(stages)
    if not stages or log_e < -math.log(alpha):
        return
    worst = max(stages, key=lambda stage: _log_e(stage.shares, stage.units))
    yield Finding(
        Problem.of(
            "sample-ratio",
            f"Users did not arrive in the set shares. In stage {worst.name}: {_observed(worst)}.",
            "Find out where users are lost or moved (redirects, bots, crashes, retries) before any promotion.",
        ),
        Severity.BLOCKS_PROMOTION,
        worst.name,
        log_e_value=log_e,
    )


def segment_findings(stages: Sequence[Stage], *, alpha: float = ALPHA) -> Iterator[Finding]:
    """Find the segment whose units are furthest from the shares, and say which others are off: `mismatched_segments`.

    Raises:
        InvalidArgument: `alpha-range`.

    >>> halves = {"control": 0.5, "new": 0.5}
    >>> by_system = {("os", "ios"): {"control": 2500, "new": 2500}, ("os", "android"): {"control": 2800, "new": 2200}}
    >>> [found.subject for found in segment_findings([Stage("50 %", halves, {}, by_system)])]
    ['os=android']
    """
    off, evidence = mismatched_segments(stages, alpha=alpha), segments_log_e(stages)
    if not off:
        return
    dimension, value = off[0]
    others = [f"where {name} is {each}" for name, each in off[1 : 1 + MOST_NAMED]]
    also = f" Nor did they {', '.join(others)}." if others else ""
    yield Finding(
        Problem.of(
            "segment-sample-ratio",
            f"Where {dimension} is {value}, users did not arrive in the set shares. "
            f"It is the furthest off of {len(evidence)} segments.{also}",
            f"Check what {value} does differently: a client version, a cache, a lost log.",
        ),
        Severity.BLOCKS_PROMOTION,
        f"{dimension}={value}",
        log_e_value=evidence[off[0]],
    )


def _log_e(shares: Mapping[str, float], units: Mapping[str, int]) -> float:
    check_shares(shares)
    check_counts(units.values())
    served = {variant: share for variant, share in shares.items() if share}
    return sample_ratio(served, {variant: units.get(variant, 0) for variant in served}).log_e_value


def _observed(stage: Stage) -> str:
    served = {variant: share for variant, share in stage.shares.items() if share}
    counts = {variant: stage.units.get(variant, 0) for variant in served}
    total = sum(counts.values())
    return ", ".join(f"{variant} {counts[variant] / total:.2%} for {share:.2%}" for variant, share in served.items())
