"""From the lake to what statistics take: sums over units for each metric and variant."""

from experiments.evidence.collect import CollectedEvidence, collect_evidence
from experiments.evidence.metrics import MetricDefinition
from experiments.evidence.reading import LakeVersion

__all__ = ["CollectedEvidence", "LakeVersion", "MetricDefinition", "collect_evidence"]
