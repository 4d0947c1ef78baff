"""The ramp as a row of stages: what is done, where the experiment is, what comes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.web.shares import percent
from experiments.charts.effect_over_time import StageSpan
from experiments.decide.said import duration
from experiments.decide.types import DecisionKind
from experiments.lifecycle.clock import soaked
from experiments.models import State
from experiments.models.experiment import ENDED_STATES, LIVE_STATES
from experiments.presenters.numbers import about
from experiments.presenters.page_reads import Dossier
from routing.table import BasisPoints


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage as the timeline shows it; `soaked` counts per cent of its soak and is None but for the current one."""

    number: int
    coverage: str
    soak: str
    look: str
    status: str
    soaked: int | None


def stage_lines(dossier: Dossier, now: datetime) -> list[StageLine]:
    """All stages of the plan, in order."""
    return [_line(dossier, position, now) for position in range(len(dossier.stages))]


def remaining(dossier: Dossier, now: datetime) -> timedelta:
    """How long until the current stage has soaked, and its answers are known; zero when it is so."""
    shortest = max(dossier.plan.stages[dossier.experiment.stage_index].soak, dossier.plan.answers_known)
    return max(timedelta(), shortest - _soaked(dossier, now))


def stage_users(dossier: Dossier) -> int | None:
    """Users with a request since the stage began, in the smallest variant; None before the first analysis of it."""
    analysis, results = dossier.analysis, dossier.results
    if analysis is None or results is None or results.stage_units is None:
        return None
    if analysis.stage_index != dossier.experiment.stage_index:
        return None
    return min(results.stage_units.get(variant.key, 0) for variant in dossier.variants)


def stage_spans(dossier: Dossier, now: datetime) -> list[StageSpan]:
    """When each stage that was reached was live, in seconds since the start."""
    experiment = dossier.experiment
    started = experiment.started_at
    if started is None:
        return []
    entered = [started, *_advances(dossier)]
    left = [*entered[1:], experiment.ended_at or now]
    return [
        StageSpan((start - started).total_seconds(), (end - started).total_seconds(), coverage_of(dossier, position))
        for position, (start, end) in enumerate(zip(entered, left, strict=True))
    ]


def coverage_of(dossier: Dossier, position: int) -> str:
    """A stage's coverage in words."""
    return percent(BasisPoints(dossier.stages[position].coverage).share)


def _line(dossier: Dossier, position: int, now: datetime) -> StageLine:
    experiment, soak = dossier.experiment, dossier.plan.stages[position].soak
    current = position == experiment.stage_index and experiment.state in LIVE_STATES
    part = _soaked(dossier, now) / soak if current and soak else 1.0
    look, status = _status(dossier, position, now)
    return StageLine(
        number=position + 1,
        coverage=coverage_of(dossier, position),
        soak=f"soaks {duration(soak)}",
        look=look,
        status=status,
        soaked=min(100, int(part * 100)) if current else None,
    )


def _status(dossier: Dossier, position: int, now: datetime) -> tuple[str, str]:
    experiment = dossier.experiment
    if experiment.state == State.DRAFT or position > experiment.stage_index:
        return "", "not reached" if experiment.state in ENDED_STATES else "to come"
    if position < experiment.stage_index or experiment.state == State.PROMOTED:
        return "done", "done"
    if experiment.state in ENDED_STATES:
        return "stopped", f"{experiment.get_state_display().lower()} here"
    left = remaining(dossier, now)
    waiting = f"{about(left)} to go" if left else "soaked"
    users = stage_users(dossier)
    if users is not None and users < dossier.plan.minimum_units:
        waiting = f"{waiting}, {users:,} of {dossier.plan.minimum_units:,} users"
    if dossier.stop is not None:
        return "current", f"stopped, {waiting}"
    return "current", f"paused, {waiting}" if experiment.state == State.PAUSED else waiting


def _soaked(dossier: Dossier, now: datetime) -> timedelta:
    return soaked(dossier.experiment.stage_entered_at, dossier.still, now)


def _advances(dossier: Dossier) -> list[datetime]:
    advances = [decision for decision in dossier.decisions if decision.kind == DecisionKind.ADVANCE]
    return sorted(decision.at for decision in advances)
