"""From the lake to what statistics take: sums over units for each metric and variant."""

from experiments.evidence.collect import CollectedEvidence, collect_evidence
from experiments.evidence.metric_sums import MetricDefinition, Past, counts_events
from experiments.evidence.recent_users import CollectedBaseline, collect_baseline
from experiments.evidence.state.carried import may_have_past
from routing.lake.reading import LakeVersion

__all__ = [
    "CollectedBaseline",
    "CollectedEvidence",
    "LakeVersion",
    "MetricDefinition",
    "Past",
    "collect_baseline",
    "collect_evidence",
    "counts_events",
    "may_have_past",
]
