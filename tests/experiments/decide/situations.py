"""Situations to decide on, with one guardrail and one goal."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from experiments.decide import ExperimentState, Label, Plan, StagePlan
from experiments.stats.core.spending import Look
from experiments.stats.core.types import (
    Direction,
    Finding,
    Halt,
    Interval,
    MarginKind,
    MetricPlan,
    MetricResult,
    MetricType,
    PastLooks,
    Results,
    Role,
    SampleRatio,
    Verdict,
)

LooksTaken = Mapping[tuple[str, str], tuple[Look, ...]]

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

PLAN = Plan(
    stages=(StagePlan(1000, MINUTE), StagePlan(5000, MINUTE), StagePlan(10_000, 5 * MINUTE)),
    metrics=(
        MetricPlan(
            key="error-rate",
            type=MetricType.RATIO,
            direction=Direction.DECREASE,
            role=Role.GUARDRAIL,
            margin=0.01,
            margin_kind=MarginKind.ABSOLUTE,
            minimum_effect=0.5,
        ),
        MetricPlan(
            key="thumbs-up",
            type=MetricType.RATIO,
            direction=Direction.INCREASE,
            role=Role.GOAL,
            minimum_effect=0.1,
        ),
    ),
    labels={"error-rate": Label("Error rate", "%"), "thumbs-up": Label("Thumbs-up rate", "%")},
    control="control",
    candidates=("better",),
    maximum=60 * MINUTE,
    minimum_units=100,
    looks=10,
)

GUARDRAIL = MetricResult(
    metric="error-rate",
    role=Role.GUARDRAIL,
    variant="better",
    control_value=0.01,
    variant_value=0.012,
    control_units=500,
    variant_units=510,
    effect=0.002,
    relative=0.2,
    interval=Interval(-0.004, 0.008),
    relative_interval=Interval(-0.4, 0.8),
    anytime_interval=Interval(-0.006, 0.01),
    p_value=0.01,
    log_harm=-1.0,
    harmed=False,
    verdict=Verdict.PASS,
    information_fraction=1.0,
    note="",
)
GOAL = replace(
    GUARDRAIL,
    metric="thumbs-up",
    role=Role.GOAL,
    control_value=0.6,
    variant_value=0.75,
    effect=0.15,
    relative=0.25,
    log_harm=None,
)


def results(
    *,
    units: int = 500,
    guardrail: Verdict = Verdict.PASS,
    goal: Verdict = Verdict.PASS,
    information: float = 1.0,
    harmed: bool = False,
    mismatch: bool = False,
    findings: tuple[Finding, ...] = (),
) -> Results:
    """What the statistics said."""
    return Results(
        metrics=(
            replace(
                GUARDRAIL,
                verdict=guardrail,
                harmed=harmed,
                log_harm=9.0 if harmed else -1.0,
                information_fraction=information,
            ),
            replace(GOAL, verdict=goal, information_fraction=information),
        ),
        sample_ratio=SampleRatio(
            expected={"control": 0.5, "better": 0.5},
            observed={"control": units, "better": units},
            p_value=0.9,
            log_e_value=-2.0,
            mismatch=mismatch,
        ),
        halt=Halt(9.0 if harmed else -1.0, 4.6, harmed, (("error-rate", "better"),) if harmed else ()),
        findings=findings,
    )


def state(*, stage: int = 0, paused: bool = False, taken: LooksTaken | None = None) -> ExperimentState:
    """An experiment that entered its stage ten minutes after the start."""
    return ExperimentState(paused, stage, START + timedelta(minutes=10), START, PastLooks(taken or {}))


def after(seconds: float) -> datetime:
    """A moment that many seconds after the stage was entered."""
    return START + timedelta(minutes=10, seconds=seconds)
