"""Health of an experiment: whether its records and its randomisation can be believed, before any metric is read."""

from experiments.stats.core.types import Finding, Severity
from experiments.stats.health.cannot_fire import Guarded, Range, cannot_fire_findings
from experiments.stats.health.check import HealthEvidence, check_health
from experiments.stats.health.findings import by_severity, checked, not_checked
from experiments.stats.health.last_answers import LastAnswers
from experiments.stats.health.late import LateOutcomes, OutcomeTiming, late_outcomes
from experiments.stats.health.lost import LostRecords
from experiments.stats.health.overlap import Overlap, overlap_of
from experiments.stats.health.shares import Segment, Stage, segment_findings
from experiments.stats.health.silence import TrafficSoFar
from experiments.stats.health.unknown import Incomparable, incomparable

__all__ = [
    "Finding",
    "Guarded",
    "HealthEvidence",
    "Incomparable",
    "LastAnswers",
    "LateOutcomes",
    "LostRecords",
    "OutcomeTiming",
    "Overlap",
    "Range",
    "Segment",
    "Severity",
    "Stage",
    "TrafficSoFar",
    "by_severity",
    "cannot_fire_findings",
    "check_health",
    "checked",
    "incomparable",
    "late_outcomes",
    "not_checked",
    "overlap_of",
    "segment_findings",
]
