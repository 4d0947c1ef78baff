"""Bring a retired backend back into use."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from routing.actions.publish import check_publishable, publish
from routing.models import Backend


def restore(backend: Backend, *, actor: Actor) -> None:
    """Let it be named again.

    Raises `NotAllowed`; `Conflict` when it is not retired; `InvalidInput` when edges could not serve it any more.
    """
    actor.require(Role.OPERATOR)
    with transaction.atomic():
        if not Backend.objects.filter(pk=backend.pk, retired_at__isnull=False).update(retired_at=None):
            raise Conflict(
                "not-retired", f"The backend {backend.key} is not retired.", next_step="Nothing is left to do."
            )
        check_publishable()
        record(actor, "restore", "backend", backend.key)
    publish(f"{actor.name} restored backend {backend.key}")
