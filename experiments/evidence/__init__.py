"""From the lake to what statistics take: sums over units for each metric and variant."""

from experiments.evidence.collect import CollectedEvidence, collect_evidence
from experiments.evidence.growth import EvidencePoint, evidence_over_time
from experiments.evidence.metric_sums import MetricDefinition, counts_events
from experiments.evidence.recent_users import CollectedBaseline, collect_baseline
from experiments.evidence.traffic_over_time import TrafficPoint, traffic
from routing.lake.reading import LakeVersion

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
