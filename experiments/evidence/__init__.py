"""From the lake to what statistics take: sums over units for each metric and variant."""

from experiments.evidence.collect import CollectedEvidence, collect_evidence
from experiments.evidence.metric_sums import MetricDefinition, counts_events
from experiments.evidence.recent_users import CollectedBaseline, collect_baseline
from routing.lake.reading import LakeVersion

__all__ = [
    "CollectedBaseline",
    "CollectedEvidence",
    "LakeVersion",
    "MetricDefinition",
    "collect_baseline",
    "collect_evidence",
    "counts_events",
]
