"""Take away a backend, an endpoint or a layer that nothing uses."""

from django.db import transaction
from django.db.models import ProtectedError

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from controlplane.versions import locked
from routing.actions.publish import check_publishable, publish
from routing.models import Backend, Endpoint, Issuer, Layer
from routing.snapshots import snapshot

KEPT = {"backend": "Remove or change these first; what only history names can be retired."}


def remove(thing: Backend | Endpoint | Layer | Issuer, *, actor: Actor, version: int | None = None) -> None:
    """Delete a row and publish; with `version`, only when that is its present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` when something uses it; and `InvalidInput` when edges
    could not serve what is left.
    """
    actor.require(Role.OPERATOR)
    kind, key = thing._meta.model_name or "", thing.key
    try:
        with transaction.atomic():
            present = locked(thing, version=version)
            record(actor, "remove", kind, key, before=snapshot(present))
            present.delete()
            check_publishable()
    except ProtectedError as error:
        users = ", ".join(sorted({str(user) for user in error.protected_objects}))
        raise Conflict(
            "in-use", f"The {kind} {key} is used by {users}.", next_step=KEPT.get(kind, "Remove or change these first.")
        ) from error
    publish(f"{actor.name} removed {kind} {key}")
