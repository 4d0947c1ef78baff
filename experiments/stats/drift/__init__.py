"""Drift: inputs that are no longer what a model was measured on, and metrics that decay against their own past."""

from experiments.stats.drift.over_time import Decay, Trend, decay, trend
from experiments.stats.drift.report import DriftReport, FeatureDrift, drift_report, feature_drift
from experiments.stats.drift.requests import Requests

__all__ = [
    "Decay",
    "DriftReport",
    "FeatureDrift",
    "Requests",
    "Trend",
    "decay",
    "drift_report",
    "feature_drift",
    "trend",
]
