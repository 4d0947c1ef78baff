"""Experiments with results, stored as the worker stores them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Any

from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.course.points import ArmCounts, CourseContent, effects_of, write_content
from experiments.models import Analysis, CoursePoint, Experiment
from experiments.stats.core.types import Interval, MetricResult, Results, Role
from experiments.stored_results import write_results
from tests.experiments.decide.situations import GUARDRAIL, results
from tests.factories.drafts import draft, draft_data

DAY = 86_400
METRICS = [
    {"metric": "requests-per-user", "role": "goal", "minimum_effect": 0.1},
    {"metric": "error-rate", "role": "guardrail", "margin": 0.01, "margin_kind": "absolute"},
]
GOAL = replace(
    GUARDRAIL,
    metric="requests-per-user",
    role=Role.GOAL,
    control_value=4.0,
    variant_value=5.0,
    effect=1.0,
    relative=0.25,
    interval=Interval(0.4, 1.6),
    relative_interval=Interval(0.1, 0.4),
    anytime_interval=Interval(-inf, inf),
)


STAGES = tuple({"coverage": coverage, "soak_seconds": 30 * DAY} for coverage in (10, 100))


def planned(key: str = "canary", stages: Sequence[Mapping[str, int]] = STAGES, **changes: Any) -> Experiment:
    """A draft with a goal and a guardrail, and stages that last much longer than a test."""
    plan = {**draft_data()["plan"], "metrics": METRICS, "stages": stages, "maximum_seconds": 90 * DAY}
    return draft(key, plan=plan, **changes)


def running(key: str = "canary", **changes: Any) -> Experiment:
    """The same, started."""
    experiment = planned(key, **changes)
    start(experiment, actor=SLUICE)
    return experiment


def found(*, mismatch: bool = False, harmed: bool = False, goal: MetricResult = GOAL) -> Results:
    """What the statistics say of both metrics."""
    base = results(mismatch=mismatch, harmed=harmed)
    return replace(base, metrics=(goal, base.metrics[0]))


def measured(experiment: Experiment, said: Results, *, seconds_ago: float = 0) -> Analysis:
    """One analysis with that result, and the point of the course that a tick leaves with it."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    arms = {"control": ArmCounts(2040, 510, 20), "better": ArmCounts(2060, 500, 21)}
    content = write_content(CourseContent(arms, effects_of(said)))
    CoursePoint.objects.create(experiment=experiment, at=at, content=content)
    return Analysis.objects.create(
        experiment=experiment,
        at=at,
        look=False,
        stage_index=experiment.stage_index,
        results=write_results(said),
        evidence={
            "units": dict(said.sample_ratio.observed),
            "requests": {"control": 2040, "better": 2060},
            "units_in_two_arms": 3,
            "sums": [],
        },
        lake_version={},
        table_version=1,
        code_version="0",
    )
