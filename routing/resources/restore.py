"""Bring a retired backend back into use."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from routing.models import Backend
from routing.publishing.publish import publish
from routing.resources.changing import changing


def restore(backend: Backend, *, actor: Actor) -> None:
    """Let it be named again.

    Raises `NotAllowed`; `Conflict` when it is not retired; `InvalidInput` when edges could not serve it any more.
    """
    actor.require(Right.PLAN)
    with changing():
        if not Backend.objects.filter(pk=backend.pk, retired_at__isnull=False).update(retired_at=None):
            raise Conflict(
                "not-retired", f"The backend {backend.key} is not retired.", next_step="Nothing is left to do."
            )
        record(actor, "restore", "backend", backend.key)
    publish(f"{actor.name} restored backend {backend.key}")
