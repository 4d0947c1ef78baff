"""Compute an experiment's effects by dimension, and store them."""

from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from time import monotonic

from controlplane.settings import get_environment
from experiments.evidence.by_dimension import DimensionEvidence, SegmentEvidence, collect_by_dimension
from experiments.exploration.content import ExplorationContent, SegmentSplit, write_content
from experiments.models import Analysis, Experiment, Exploration
from experiments.plan.as_judged import judge_plan, metric_definitions, pure_plan
from experiments.stats.core.types import Evidence, JudgePlan
from experiments.stats.health import LateOutcomes, Stage, incomparable, late_outcomes, segment_findings
from experiments.stats.health.shares import mismatched_segments, segments_log_e
from experiments.stats.judging.breakdown import break_down
from experiments.stored_results import read_counts

SOONEST = timedelta(minutes=1)
RESTS = 100
"""So many times as long as it took nothing is computed: all of an experiment's rows are read each time."""


def explore_experiment(experiment: Experiment, now: datetime) -> None:
    """Bring what is explored of an experiment up to its newest analysis, if that found something new.

    Raises as `collect_by_dimension` does; it is tried again later.
    """
    stored = Exploration.objects.get(experiment=experiment)
    analysis = experiment.analyses.first()
    if analysis is not None and (found := _hash(analysis)) != stored.evidence_hash:
        began = monotonic()
        stored.content = write_content(_content(experiment, analysis, now))
        stored.evidence_hash = found
        stored.due_at = now + max(SOONEST, RESTS * timedelta(seconds=monotonic() - began))
    else:
        stored.due_at = now + SOONEST
    stored.at = now
    stored.save(update_fields=["content", "evidence_hash", "due_at", "at"])


def _hash(analysis: Analysis) -> str:
    return sha256(dumps(analysis.evidence, sort_keys=True).encode()).hexdigest()


def _content(experiment: Experiment, analysis: Analysis, now: datetime) -> ExplorationContent:
    plan = judge_plan(experiment, pure_plan(experiment), read_counts(analysis.evidence).units)
    collected = _collected(experiment, plan, analysis, now)
    late = late_outcomes(collected.timings, collected.requests, plan.control)
    segments = {(each.dimension, each.value): _comparable(each, late, plan) for each in collected.segments}
    stage = Stage("all stages", plan.shares, {}, {name: evidence.units for name, evidence in segments.items()})
    log_e, off = segments_log_e([stage]), mismatched_segments([stage])
    splits = (SegmentSplit(*name, evidence.units, log_e[name], name in off) for name, evidence in segments.items())
    problems = (finding.problem for finding in segment_findings([stage]))
    return ExplorationContent(break_down(plan, segments), tuple(splits), tuple(problems))


def _collected(experiment: Experiment, plan: JudgePlan, analysis: Analysis, now: datetime) -> DimensionEvidence:
    """Of the plan's metrics those that the analysis could measure: one that cannot be read hides no other."""
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    keys = {metric.key for metric in plan.metrics} & _measured(analysis)
    metrics = [metric for metric in metric_definitions(experiment) if metric.key in keys]
    return collect_by_dimension(
        get_environment().lake_url,
        experiment.key,
        experiment.started_at,
        metrics,
        experiment.plan.dimensions,
        now=now,
        tick_seconds=experiment.plan.tick_seconds,
    )


def _measured(analysis: Analysis) -> set[str]:
    return {sums["metric"] for sums in analysis.evidence["sums"]}


def _comparable(segment: SegmentEvidence, late: LateOutcomes, plan: JudgePlan) -> Evidence:
    """Without the metrics that one variant tells later or less often than the control."""
    return late.without(incomparable(segment.known, plan.control).without(segment.evidence))
