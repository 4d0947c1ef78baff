"""Change a backend or an endpoint."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from routing.actions.publish import check_publishable, publish
from routing.models import Backend, Endpoint
from routing.snapshots import snapshot


def edit(thing: Backend | Endpoint, *, actor: Actor) -> None:
    """Save a changed backend or endpoint and publish it.

    Raises `NotAllowed`; `Conflict` when it would reassign the users of a running experiment; `InvalidInput` when
    edges could not serve it. Then nothing is saved.
    """
    actor.require(Role.OPERATOR)
    kind = thing._meta.model_name or ""
    with transaction.atomic():
        before = snapshot(type(thing)._default_manager.get(pk=thing.pk))
        if isinstance(thing, Endpoint):
            _refuse_reassignment(thing, before)
        thing.save(force_update=True)
        check_publishable()
        record(actor, "edit", kind, thing.key, before=before, after=snapshot(thing))
    publish(f"{actor.name} edited {kind} {thing.key}")


def _refuse_reassignment(endpoint: Endpoint, before: dict[str, object]) -> None:
    moving = [name for name in ("salt", "unit_source", "unit_name") if before[name] != getattr(endpoint, name)]
    running = list(endpoint.splits.values_list("experiment", flat=True))
    if moving and running:
        raise Conflict(
            "endpoint-in-use",
            f"Changing {' and '.join(moving)} would move users between the variants of {', '.join(running)}.",
            next_step="End these experiments first, or register a second endpoint.",
        )
