"""End an experiment whose data cannot tell, and leave the choice to a person."""

from datetime import datetime

from controlplane.audit.actors import Actor
from experiments.decide.types import Decision
from experiments.lifecycle.end import end_as_brake
from experiments.lifecycle.lease import Lease
from experiments.models import Analysis, Experiment, State


def conclude(
    experiment: Experiment,
    decision: Decision,
    *,
    actor: Actor,
    analysis: Analysis | None = None,
    at: datetime | None = None,
    lease: Lease | None = None,
) -> None:
    """Mark as inconclusive; users get the endpoint's backend until a person promotes.

    Raises `Conflict`, and as `pull` does.
    """
    end_as_brake(
        experiment,
        decision,
        state=State.INCONCLUSIVE,
        allowed=(State.RUNNING,),
        actor=actor,
        analysis=analysis,
        at=at,
        lease=lease,
    )
