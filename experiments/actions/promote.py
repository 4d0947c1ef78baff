"""Make a candidate's backend the one that all users get."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import FieldProblem, InvalidInput
from experiments.actions.end import end
from experiments.decide.types import Decision, DecisionKind
from experiments.models import Analysis, Experiment, State, Variant


def promote(
    experiment: Experiment,
    decision: Decision,
    *,
    actor: Actor,
    analysis: Analysis | None = None,
    allowed: tuple[State, ...] = (State.RUNNING,),
) -> None:
    """Promote `decision.variant`. Raises `NotAllowed` and `Conflict`."""
    variant = experiment.variants.get(key=decision.variant, is_control=False)
    with transaction.atomic():
        end(
            experiment,
            decision,
            state=State.PROMOTED,
            allowed=allowed,
            actor=actor,
            analysis=analysis,
            changes={"promoted_variant": variant},
        )
        _make_default(experiment, variant, actor)


def promote_by_hand(experiment: Experiment, *, actor: Actor, reason: str, variant: str = "") -> None:
    """Promote against or ahead of the statistics; a reason is asked for, and the ledger says that a person did it."""
    candidates = [candidate.key for candidate in experiment.variants.all() if not candidate.is_control]
    chosen = variant or (candidates[0] if len(candidates) == 1 else "")
    if chosen not in candidates:
        raise _invalid("variant", f"Name the candidate to promote: {' or '.join(candidates)}.")
    if not reason.strip():
        raise _invalid("reason", "A promotion by hand needs a reason.")
    decision = Decision(DecisionKind.PROMOTE, "by-hand", reason.strip(), variant=chosen)
    allowed = (State.RUNNING, State.PAUSED, State.INCONCLUSIVE)
    promote(experiment, decision, actor=actor, analysis=experiment.analyses.first(), allowed=allowed)


def _make_default(experiment: Experiment, variant: Variant, actor: Actor) -> None:
    endpoint = experiment.endpoint
    before = {"backend": endpoint.backend.key}
    if endpoint.standby_id == variant.backend_id:
        endpoint.standby = endpoint.backend
    endpoint.backend = variant.backend
    endpoint.save(update_fields=["backend", "standby"])
    after = {"backend": variant.backend.key}
    record(actor, "promote", "endpoint", endpoint.key, before=before, after=after, reason=experiment.state_reason)


def _invalid(field: str, message: str) -> InvalidInput:
    problems = (FieldProblem(field, message),)
    return InvalidInput(f"{field}-missing", message, next_step=f"Send `{field}`.", problems=problems)
