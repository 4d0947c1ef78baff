"""From the lake to what statistics take: sums over units for each metric and variant."""

from experiments.evidence.baseline import CollectedBaseline, collect_baseline
from experiments.evidence.collect import CollectedEvidence, collect_evidence
from experiments.evidence.history import EvidencePoint, evidence_over_time
from experiments.evidence.metrics import MetricDefinition, counts_events
from experiments.evidence.traffic import TrafficPoint, traffic
from routing.events.reading import LakeVersion

__all__ = [
    "CollectedBaseline",
    "CollectedEvidence",
    "EvidencePoint",
    "LakeVersion",
    "MetricDefinition",
    "TrafficPoint",
    "collect_baseline",
    "collect_evidence",
    "counts_events",
    "evidence_over_time",
    "traffic",
]
