"""Give users by default what a candidate is: its backend, its headers and its query parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from controlplane.audit.actors import Actor
from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput
from controlplane.storage.races import beside_others
from experiments.decide.types import Decision, DecisionKind
from experiments.lifecycle.end import end
from experiments.lifecycle.lease import Lease
from experiments.lifecycle.promoted import given_by
from experiments.lifecycle.transition import publish_after_commit, refuse_beside_orders
from experiments.models import Analysis, Experiment, State
from routing.resources.changing import changing
from routing.resources.set_default import set_default


def promote(
    experiment: Experiment,
    decision: Decision,
    *,
    actor: Actor,
    analysis: Analysis | None = None,
    allowed: tuple[State, ...] = (State.RUNNING,),
    everybody: bool = False,
    at: datetime | None = None,
    lease: Lease | None = None,
) -> None:
    """Promote `decision.variant` for the experiment's audience; where it has none, for all whom no rule concerns.

    With `everybody`, for those outside of the audience too, who were not measured. Raises `NotAllowed`; `Conflict`,
    also when its backend was retired meanwhile; `InvalidInput` when edges could not serve it.
    """
    variant = experiment.variants.get(key=decision.variant, is_control=False)
    if variant.backend.is_over:
        raise Conflict(
            "backend-retired",
            f"The backend {variant.backend.key} of {variant.key} is retired.",
            next_step="Restore it on the page of backends first.",
        )
    with _unless_halted(experiment), changing(experiment.endpoint):
        end(
            experiment,
            decision,
            state=State.PROMOTED,
            allowed=allowed,
            actor=actor,
            analysis=analysis,
            changes={"promoted_variant": variant, "promoted_audience": [] if everybody else experiment.audience},
            at=at,
            lease=lease,
        )
        set_default(
            experiment.endpoint,
            given_by(variant),
            audience=experiment.audience,
            everybody=everybody,
            key=experiment.key,
            actor=actor,
            reason=decision.reason,
            at=at,
        )
        publish_after_commit(f"{experiment.key} promoted {variant.key}: {decision.reason}")


@contextmanager
def _unless_halted(experiment: Experiment) -> Iterator[None]:
    """A transaction that comes to nothing when a halt that could not wait for its end was told to edges meanwhile."""
    with beside_others():
        yield
        refuse_beside_orders(experiment, DecisionKind.PROMOTE)


def promote_by_hand(
    experiment: Experiment, *, actor: Actor, reason: str, variant: str = "", everybody: bool = False
) -> None:
    """Promote against or ahead of the statistics; a reason is asked for, and the ledger says that a person did it."""
    candidates = [candidate.key for candidate in experiment.variants.all() if not candidate.is_control]
    chosen = variant or (candidates[0] if len(candidates) == 1 else "")
    if chosen not in candidates:
        raise _invalid("variant", f"Name the candidate to promote: {' or '.join(candidates)}.")
    if not reason.strip():
        raise _invalid("reason", "A promotion by hand needs a reason.")
    code = "by-hand-for-everybody" if everybody and experiment.audience else "by-hand"
    decision = Decision(DecisionKind.PROMOTE, code, reason.strip(), variant=chosen)
    allowed = (State.RUNNING, State.PAUSED, State.INCONCLUSIVE)
    analysis = experiment.analyses.first()
    promote(experiment, decision, actor=actor, analysis=analysis, allowed=allowed, everybody=everybody)


def _invalid(field: str, message: str) -> InvalidInput:
    problems = (FieldProblem(field, message),)
    return InvalidInput(f"{field}-missing", message, next_step=f"Send `{field}`.", problems=problems)
