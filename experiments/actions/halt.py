"""Give all users the control again, for a reason."""

from datetime import datetime

from controlplane.audit.actors import Actor
from controlplane.problems.errors import FieldProblem, InvalidInput
from experiments.decide.types import Decision, DecisionKind
from experiments.lifecycle.end import end_as_brake
from experiments.lifecycle.lease import Lease
from experiments.models import Analysis, Experiment, State


def halt(
    experiment: Experiment,
    decision: Decision,
    *,
    actor: Actor,
    analysis: Analysis | None = None,
    at: datetime | None = None,
    lease: Lease | None = None,
) -> None:
    """Halt a live experiment. Raises `NotAllowed`, `Conflict`, and as `pull` does."""
    end_as_brake(
        experiment,
        decision,
        state=State.HALTED,
        allowed=(State.RUNNING, State.PAUSED),
        actor=actor,
        analysis=analysis,
        at=at,
        lease=lease,
    )


def halt_by_hand(experiment: Experiment, *, actor: Actor, reason: str) -> None:
    """Halt because a person or a pipeline says so; a reason is asked for."""
    if not reason.strip():
        raise InvalidInput(
            "reason-missing",
            "A halt needs a reason.",
            next_step="Say in `reason` why you halt; it stays in the decision log.",
            problems=(FieldProblem("reason", "Say why you halt."),),
        )
    decision = Decision(DecisionKind.HALT, "by-hand", reason.strip())
    halt(experiment, decision, actor=actor, analysis=experiment.analyses.first())
