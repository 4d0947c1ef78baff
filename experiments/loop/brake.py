"""Halt on harm before anything else is done with what was measured, and whatever else raises."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import Conflict
from experiments.actions.halt import halt
from experiments.decide import Decision, Plan, halted
from experiments.lifecycle.lease import Lease
from experiments.loop.analyse import Measured, analyse, store
from experiments.models import Analysis, Experiment
from experiments.plan.as_judged import past_looks
from experiments.stats.core.types import Results
from experiments.stats.judging.judge import watch, without_verdicts

log = structlog.get_logger(__name__)

Found = TypeVar("Found")


def halt_on_harm(
    experiment: Experiment, plan: Plan, measured: Measured, *, lease: Lease, now: datetime
) -> Decision | None:
    """Halt if the evidence of harm says so at any time; None if it does not.

    Only the evidence itself counts. What else there is to tell - verdicts after the looks, health, the record of all
    that - is told if it can be. Raises as `halt` does.
    """
    stop = watch(measured.plan, measured.evidence, measured.later)
    if not stop.reached:
        return None
    bare = without_verdicts(measured.plan, measured.evidence, stop)
    results = _tried(experiment, lambda: analyse(experiment, measured, past_looks(experiment))) or bare
    decision = _tried(experiment, lambda: halted(plan, results)) or halted(plan, bare)
    halt_with_record(experiment, decision, measured, (results, bare), look=False, lease=lease, now=now)
    return decision


def halt_with_record(
    experiment: Experiment,
    decision: Decision,
    measured: Measured,
    results: Sequence[Results],
    *,
    look: bool,
    lease: Lease,
    now: datetime,
) -> None:
    """Halt, with the first of the results that can be stored as evidence, or with none. Raises as `halt` does."""
    analysis: Analysis | None = None
    for each in results:
        keep = partial(store, experiment, measured, each, look=look, lease=lease, now=now)
        analysis = analysis or _tried(experiment, keep)
    halt(experiment, decision, actor=SLUICE, analysis=analysis, at=now, lease=lease)
    log.info("decided", experiment=experiment.key, decision=decision.kind, reason=decision.reason)


def _tried(experiment: Experiment, work: Callable[[], Found]) -> Found | None:
    """What comes of it; None if it raises, but for a conflict: then the halt is another's."""
    try:
        return work()
    except Conflict:
        raise
    except Exception:
        log.exception("a halt goes on without it", experiment=experiment.key)
        return None
