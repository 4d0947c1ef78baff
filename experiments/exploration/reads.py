"""Reads of what was explored of an experiment."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import ValidationError

from experiments.exploration.content import ExplorationContent, read_content
from experiments.models import Experiment, Exploration

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found by dimension as of a moment; None before the first time."""

    at: datetime | None
    content: ExplorationContent


def read_exploration(experiment: Experiment) -> Found:
    """What is stored; nothing where there is nothing, or what this release cannot read."""
    stored = Exploration.objects.filter(experiment=experiment).first()
    if stored is None or not stored.evidence_hash:
        return Found(None, ExplorationContent())
    try:
        return Found(stored.at, read_content(stored.content))
    except ValidationError as error:
        log.warning("an exploration is left out", experiment=experiment.key, reason=str(error))
        return Found(None, ExplorationContent())
