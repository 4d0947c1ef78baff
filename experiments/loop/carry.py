"""Where the evidence of experiments is carried from one tick to the next, and whether it is still right."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from controlplane.settings import get_environment
from experiments.evidence import CollectedEvidence, collect_evidence
from experiments.evidence.state.carried import Carried, forget, may_be_carried
from experiments.loop.evidence_starts import coming_starts, later_starts
from experiments.models import Experiment
from experiments.models.experiment import LIVE_STATES
from experiments.plan.as_judged import metric_definitions

log = structlog.get_logger(__name__)

FOLDER = "evidence"


def carried_of(experiment: Experiment, now: datetime) -> Carried:
    """The file of an experiment, with the starts that will be asked for soon."""
    return Carried(_folder() / f"{experiment.pk}.sqlite3", coming_starts(experiment, now))


def evidence_is_right(experiment: Experiment, now: datetime) -> bool:
    """Whether what is carried is what the lake tells at the same version; where it is not, it is made anew.

    Raises as `collect_evidence` does.
    """
    carried = carried_of(experiment, now)
    metrics = [metric for metric in metric_definitions(experiment) if may_be_carried(metric)]
    known = _collected(experiment, now, carried)
    told = _collected(experiment, now, None, known)
    if known.units_by_edge is None:
        told = replace(told, units_by_edge=None)
    if known.of(metrics) == told.of(metrics):
        return True
    log.error("carried evidence differed from the lake's, and is made anew", experiment=experiment.key)
    forget(carried.path)
    return False


def forget_ended() -> None:
    """Remove the files of experiments that do not run any more."""
    running = set(Experiment.objects.filter(state__in=LIVE_STATES).values_list("pk", flat=True))
    for path in _folder().glob("*.sqlite3"):
        if path.stem.isdigit() and int(path.stem) not in running:
            forget(path)


def _folder() -> Path:
    return get_environment().data_directory / FOLDER


def _collected(
    experiment: Experiment, now: datetime, carried: Carried | None, like: CollectedEvidence | None = None
) -> CollectedEvidence:
    """As a tick collects it, with what is carried, or from the rows of the version that another was read at."""
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    return collect_evidence(
        get_environment().lake_url,
        experiment.key,
        experiment.started_at,
        metric_definitions(experiment),
        now=now,
        starts=[start.moment for start in later_starts(experiment, now)],
        tick_seconds=experiment.plan.tick_seconds,
        as_of=like.lake if like else None,
        carried=carried,
    )
