"""Bring a retired backend back into use."""

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from routing.actions.changing import changing
from routing.actions.publish import publish
from routing.models import Backend


def restore(backend: Backend, *, actor: Actor) -> None:
    """Let it be named again.

    Raises `NotAllowed`; `Conflict` when it is not retired; `InvalidInput` when edges could not serve it any more.
    """
    actor.require(Role.OPERATOR)
    with changing():
        if not Backend.objects.filter(pk=backend.pk, retired_at__isnull=False).update(retired_at=None):
            raise Conflict(
                "not-retired", f"The backend {backend.key} is not retired.", next_step="Nothing is left to do."
            )
        record(actor, "restore", "backend", backend.key)
    publish(f"{actor.name} restored backend {backend.key}")
