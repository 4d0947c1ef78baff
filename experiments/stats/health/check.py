"""All health checks together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from experiments.stats.core.types import Finding, UnitSums
from experiments.stats.health.findings import ALPHA, Check, by_severity, check_alpha, check_between, checked
from experiments.stats.health.imbalance import imbalance_findings
from experiments.stats.health.last_answers import LastAnswers, last_answer_findings
from experiments.stats.health.lost import LostRecords, lost_findings
from experiments.stats.health.missing import SPREAD, SPREAD_NAME, missing_findings
from experiments.stats.health.overlap import TOLERANCE, TOLERANCE_NAME, Overlap, overlap_findings
from experiments.stats.health.records import fallen_findings, identical_findings
from experiments.stats.health.shares import Stage, leak_findings, ratio_findings, segment_findings
from experiments.stats.health.silence import TrafficSoFar, silence_findings
from experiments.stats.health.unreadable import unreadable_findings


@dataclass(frozen=True, slots=True)
class HealthEvidence:
    """What health is checked on; a check whose input is empty does not run.

    `stages` hold shares and units, oldest first. `before` maps metrics to each variant's sums from before the exposure,
    `sums` the same from after it. `outcomes` maps variants to sums with Y the requests with an outcome and D all
    requests of each unit. `units_before` are distinct units by variant at the look before. `records` are requests with
    and without a record, `traffic` when they came. `read` maps metrics to sums with Y the answered requests of a unit
    that could be read, D all of them. `last_answers` count by variant the users whom a failure met last.
    """

    control: str
    stages: tuple[Stage, ...] = ()
    overlap: Overlap | None = None
    before: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    sums: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    outcomes: Mapping[str, UnitSums] = field(default_factory=dict)
    units_before: Mapping[str, int] = field(default_factory=dict)
    records: LostRecords | None = None
    traffic: TrafficSoFar | None = None
    read: Mapping[str, Mapping[str, UnitSums]] = field(default_factory=dict)
    last_answers: Mapping[str, LastAnswers] = field(default_factory=dict)


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


def _checks(evidence: HealthEvidence, *, alpha: float, tolerance: float, spread: float) -> Iterator[tuple[str, Check]]:
    stages, control, overlap, records = evidence.stages, evidence.control, evidence.overlap, evidence.records
    yield "Users where none should come", lambda: leak_findings(stages)
    yield "The split of users", lambda: ratio_findings(stages, alpha=alpha)
    yield "The split of users in each segment", lambda: segment_findings(stages, alpha=alpha)
    if overlap:
        yield "Users in several variants", lambda: overlap_findings(overlap, tolerance=tolerance, alpha=alpha)
    yield "The time before the start", lambda: imbalance_findings(evidence.before, control, alpha=alpha)
    if evidence.outcomes:
        yield "Lost outcomes", lambda: missing_findings(evidence.outcomes, control, spread=spread, alpha=alpha)
    for metric, arms in evidence.sums.items():
        yield f"The counts of {metric}", partial(identical_findings, {metric: arms})
    if records:
        yield "Requests without a record", lambda: lost_findings(records, control, alpha=alpha)
    if evidence.traffic:
        yield "The traffic", partial(silence_findings, evidence.traffic)
    if evidence.last_answers:
        yield "Users who were failed last", lambda: last_answer_findings(evidence.last_answers, control, alpha=alpha)
    yield "The content of answers", lambda: unreadable_findings(evidence.read)
    if evidence.units_before:
        yield "Users that were lost", lambda: fallen_findings(evidence.units_before, _units(stages))


def _units(stages: tuple[Stage, ...]) -> dict[str, int]:
    variants = {variant for stage in stages for variant in stage.units}
    return {variant: sum(stage.units.get(variant, 0) for stage in stages) for variant in variants}
