"""All health checks together."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from experiments.stats.errors import StatisticsError
from experiments.stats.health.findings import ALPHA, by_severity, check_alpha, check_between
from experiments.stats.health.imbalance import imbalance_findings
from experiments.stats.health.missing import SPREAD, SPREAD_NAME, missing_findings
from experiments.stats.health.overlap import TOLERANCE, TOLERANCE_NAME, Overlap, overlap_findings
from experiments.stats.health.records import fallen_findings, identical_findings
from experiments.stats.health.shares import Stage, leak_findings, ratio_findings, segment_findings
from experiments.stats.sample_ratio import CERTAIN
from experiments.stats.types import Finding, Severity, UnitSums

UNFORESEEN = "If it stays so, report this sentence as a fault of Sluice."

Check = Callable[[], Iterable[Finding]]
"""One check with its evidence: called, it names what is wrong. Raises what it cannot digest."""


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

    Each check stands alone: one that cannot digest the evidence is a finding itself, `not-checked`, and hides no other.
    `alpha` is the chance of a false alarm of each check. `tolerance` is the share of units that may be in several arms.
    `spread` is the difference in the share of outcomes that is looked for. Leaks and broken records need no alpha.

    Raises:
        InvalidArgument: `alpha-range`, `tolerance-range`, `spread-range`.

    >>> stage = Stage("50 %", {"control": 0.5, "new": 0.5, "holdout": 0.0}, {"control": 5010, "new": 4990})
    >>> check_health(HealthEvidence("control", (stage,)))
    ()
    """
    check_alpha(alpha)
    check_between("tolerance-range", TOLERANCE_NAME, tolerance)
    check_between("spread-range", SPREAD_NAME, spread)
    checks = _checks(evidence, alpha=alpha, tolerance=tolerance, spread=spread)
    return by_severity(finding for subject, check in checks for finding in checked(subject, check))


def checked(subject: str, check: Check) -> tuple[Finding, ...]:
    """What a check finds; if it raises, the finding that its subject could not be checked.

    >>> [found.sentence for found in checked("The split", lambda: leak_findings([Stage("50 %", {"a": 0.5}, {})]))]
    ["The split could not be checked: The shares {'a': 0.5} are not a split of all units."]
    """
    try:
        return tuple(check())
    except StatisticsError as error:
        return (_not_checked(subject, error.detail, error.next_step),)
    except Exception as error:  # noqa: BLE001 - whatever one check stumbles over, the others are still needed
        return (_not_checked(subject, f"{type(error).__name__}: {error}.", UNFORESEEN),)


def _checks(evidence: HealthEvidence, *, alpha: float, tolerance: float, spread: float) -> Iterator[tuple[str, Check]]:
    stages, control, overlap = evidence.stages, evidence.control, evidence.overlap
    yield "Units where none should come", lambda: leak_findings(stages)
    yield "The split of units", lambda: ratio_findings(stages, alpha=alpha)
    yield "The split of units in each segment", lambda: segment_findings(stages, alpha=alpha)
    if overlap:
        yield "Units in several arms", lambda: overlap_findings(overlap, tolerance=tolerance, alpha=alpha)
    yield "The time before the start", lambda: imbalance_findings(evidence.before, control, alpha=alpha)
    if evidence.outcomes:
        yield "Lost outcomes", lambda: missing_findings(evidence.outcomes, control, spread=spread, alpha=alpha)
    for metric, arms in evidence.sums.items():
        yield f"What was counted for {metric}", partial(identical_findings, {metric: arms})
    if evidence.units_before:
        yield "Units that were lost", lambda: fallen_findings(evidence.units_before, _units(stages))


def _not_checked(subject: str, detail: str, next_step: str) -> Finding:
    return Finding(
        code="not-checked",
        severity=Severity.BLOCKS_PROMOTION,
        subject=subject,
        sentence=f"{subject} could not be checked: {detail}",
        next_step=next_step,
        log_e_value=CERTAIN,
    )


def _units(stages: tuple[Stage, ...]) -> dict[str, int]:
    variants = {variant for stage in stages for variant in stage.units}
    return {variant: sum(stage.units.get(variant, 0) for stage in stages) for variant in variants}
