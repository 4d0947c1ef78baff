"""All health checks together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from experiments.stats.health.findings import ALPHA, by_severity
from experiments.stats.health.imbalance import imbalance_findings
from experiments.stats.health.missing import SPREAD, missing_findings
from experiments.stats.health.overlap import TOLERANCE, Overlap, overlap_findings
from experiments.stats.health.records import fallen_findings, identical_findings
from experiments.stats.health.shares import Stage, leak_findings, ratio_findings, segment_findings
from experiments.stats.types import Finding, UnitSums


@dataclass(frozen=True, slots=True)
class HealthEvidence:
    """What health is checked on; a check whose input is empty does not run.

    `stages` hold shares and units, oldest first. `before` maps metrics to each variant's sums from before the exposure,
    `sums` the same from after it. `outcomes` maps variants to sums with Y the requests with an outcome and D all
    requests of each unit. `units_before` are distinct units by variant at the look before.
    """

    control: str
    stages: tuple[Stage, ...] = ()
    overlap: Overlap | None = None
    before: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    sums: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    outcomes: Mapping[str, UnitSums] = field(default_factory=dict)
    units_before: Mapping[str, int] = field(default_factory=dict)


def check_health(
    evidence: HealthEvidence, *, alpha: float = ALPHA, tolerance: float = TOLERANCE, spread: float = SPREAD
) -> tuple[Finding, ...]:
    """Run every check that has its input, and return what is wrong: what blocks promotion first.

    `alpha` is the chance of a false alarm of each check. `tolerance` is the share of units that may be in several arms.
    `spread` is the difference in the share of outcomes that is looked for. Leaks and broken records need no alpha.

    Raises:
        InvalidPlan: `shares-sum`.
        InvalidArgument: `alpha-range`, `tolerance-range`, `spread-range`.
        InvalidEvidence: `counts-invalid`, `sums-invalid`, `overlap-impossible`, `outcomes-exceed-requests`,
            `control-missing`.

    >>> stage = Stage("50 %", {"control": 0.5, "new": 0.5, "holdout": 0.0}, {"control": 5010, "new": 4990})
    >>> check_health(HealthEvidence("control", (stage,)))
    ()
    """
    return by_severity(_findings(evidence, alpha=alpha, tolerance=tolerance, spread=spread))


def _findings(evidence: HealthEvidence, *, alpha: float, tolerance: float, spread: float) -> Iterator[Finding]:
    yield from leak_findings(evidence.stages)
    yield from ratio_findings(evidence.stages, alpha=alpha)
    yield from segment_findings(evidence.stages, alpha=alpha)
    if evidence.overlap:
        yield from overlap_findings(evidence.overlap, tolerance=tolerance, alpha=alpha)
    yield from imbalance_findings(evidence.before, evidence.control, alpha=alpha)
    if evidence.outcomes:
        yield from missing_findings(evidence.outcomes, evidence.control, spread=spread, alpha=alpha)
    yield from identical_findings(evidence.sums)
    if evidence.units_before:
        yield from fallen_findings(evidence.units_before, _units(evidence.stages))


def _units(stages: tuple[Stage, ...]) -> dict[str, int]:
    variants = {variant for stage in stages for variant in stage.units}
    return {variant: sum(stage.units.get(variant, 0) for stage in stages) for variant in variants}
