"""What a pipeline asks of an experiment: whether it is decided, what it may do now, and what to wait for."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError
from django.http import Http404

from controlplane.problems.errors import SluiceError
from experiments.models import Decision, Experiment, State
from experiments.presenters.broken_rows import UNREADABLE, what_is_broken
from experiments.presenters.page_reads import Dossier, find_experiment, read_dossier
from experiments.presenters.timeline import remaining
from experiments.presenters.verdict import summarise

UNDECIDED = "undecided"

EXIT_CODES = {State.PROMOTED: 0, State.HALTED: 1, State.INCONCLUSIVE: 2}
"""What a pipeline's step ends with, by how the experiment ended."""

NOT_MEASURED = 3
"""What it ends with where there is no outcome to go by."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gate:
    """An experiment as a pipeline's gate.

    `outcome` is the state that it ended in, or `undecided`. `sentence` says what is the case and why, with numbers;
    `waits_for` what comes next, empty once it is decided, and `due_at` when, where that is known.
    """

    key: str
    name: str
    state: str
    sentence: str
    decision: Decision | None
    decided_at: datetime | None
    waits_for: str = ""
    due_at: datetime | None = None

    @property
    def decided(self) -> bool:
        """Whether it has ended."""
        return self.state in EXIT_CODES

    @property
    def outcome(self) -> str:
        """How it ended."""
        return self.state if self.decided else UNDECIDED

    @property
    def exit_code(self) -> int:
        """What a pipeline's step ends with."""
        return EXIT_CODES[State(self.state)] if self.decided else NOT_MEASURED


def read_gate(key: str, now: datetime) -> Gate:
    """The gate of an experiment, also of one whose rows are broken. Raises `Http404`."""
    try:
        return _gate(read_dossier(key), now)
    except (Http404, DatabaseError, SluiceError):
        raise
    except Exception:
        log.exception("an experiment cannot be read", experiment=key)
        return _broken(find_experiment(key))


def _gate(dossier: Dossier, now: datetime) -> Gate:
    experiment, summary = dossier.experiment, summarise(dossier, now)
    decision = next(iter(dossier.decisions), None)
    gate = Gate(experiment.key, experiment.name, experiment.state, summary.sentence, decision, experiment.ended_at)
    if gate.decided:
        return gate
    return Gate(gate.key, gate.name, gate.state, gate.sentence, decision, None, summary.next_step, _due(dossier, now))


def _due(dossier: Dossier, now: datetime) -> datetime | None:
    """When the stage has soaked, else when it is judged next; None while its clock stands still."""
    if dossier.experiment.state != State.RUNNING or dossier.stop is not None:
        return None
    left = remaining(dossier, now)
    return now + left if left else dossier.experiment.next_tick_at


def _broken(experiment: Experiment) -> Gate:
    found = what_is_broken(experiment) or UNREADABLE
    return Gate(experiment.key, experiment.name, experiment.state, found, None, experiment.ended_at)
