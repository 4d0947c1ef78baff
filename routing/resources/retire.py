"""Take a backend out of use that only history names."""

from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from routing.models import Backend
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.references import living_users


def retire(backend: Backend, *, actor: Actor) -> None:
    """Keep it for what happened, and let nothing new name it: no form offers it, and no table that follows has it.

    Raises `NotAllowed`, and `Conflict` while anything that is not over names it, or when it is retired already.
    """
    actor.require(Right.PLAN)
    with changing():
        present = Backend.objects.select_for_update().get(pk=backend.pk)
        _refuse_while_used(present)
        if not Backend.objects.filter(pk=present.pk, retired_at=None).update(retired_at=timezone.now()):
            detail = f"The backend {present.key} is retired already."
            raise Conflict("retired", detail, next_step="Nothing is left to do.")
        record(actor, "retire", "backend", present.key)
    publish(f"{actor.name} retired backend {backend.key}")


def _refuse_while_used(backend: Backend) -> None:
    users = living_users(backend)
    if users:
        raise Conflict(
            "in-use",
            f"The backend {backend.key} is used by {', '.join(users)}.",
            next_step="End or change these first; then it can be retired.",
        )
