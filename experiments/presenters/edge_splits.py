"""Whether each edge splits users as it was told."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.settings import get_environment
from experiments.evidence.edge_units import units_by_edge
from experiments.models import Experiment
from experiments.plan.as_judged import shares_by_stage
from experiments.stats.health.sample_ratio import MISMATCH_LOG_E, likeliest_shares, sample_ratio


@dataclass(frozen=True, slots=True)
class EdgeSplit:
    """The shares that were set and the units that one edge saw; `drifts` says that they do not agree.

    It is the sequential test of the sample ratio, its threshold raised by the number of edges: with all splits as
    set, the chance that any edge is ever said to drift is at most one in a thousand, however often one looks.
    """

    edge: str
    shares: Mapping[str, float]
    units: Mapping[str, int]
    e_value_log10: float
    drifts: bool


def edge_splits(experiment: Experiment) -> list[EdgeSplit]:
    """The split of each edge that has measured anything, by name. Raises `Unavailable` when the lake is away."""
    if experiment.started_at is None:
        return []
    stages = shares_by_stage(experiment)
    found = units_by_edge(get_environment().lake_url, experiment.key, experiment.started_at)
    threshold = MISMATCH_LOG_E + math.log(max(len(found), 1))
    return [_split(edge, likeliest_shares(stages, units), units, threshold) for edge, units in sorted(found.items())]


def _split(edge: str, shares: Mapping[str, float], units: Mapping[str, int], threshold: float) -> EdgeSplit:
    ratio = sample_ratio(shares, units)
    evidence = ratio.log_e_value
    return EdgeSplit(edge, ratio.expected, ratio.observed, evidence / math.log(10), evidence >= threshold)
