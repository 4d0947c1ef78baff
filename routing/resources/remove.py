"""Take away what nothing uses."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.problems.errors import Conflict
from controlplane.storage.keyed import Keyed
from controlplane.storage.versions import locked
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.references import users_of
from routing.resources.snapshots import snapshot

KEPT = {"backend": "Remove or change these first; what only history names can be retired."}


def remove(thing: Keyed, *, actor: Actor, version: int | None = None) -> None:
    """Delete a row and publish; with `version`, only when that is its present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` when something names it. Then nothing is done.
    """
    actor.require(Role.OPERATOR)
    kind, key = thing._meta.model_name or "", thing.key
    with changing():
        present = locked(thing, version=version)
        users = users_of(present)
        if users:
            detail = f"The {kind} {key} is used by {', '.join(users)}."
            raise Conflict("in-use", detail, next_step=KEPT.get(kind, "Remove or change these first."))
        record(actor, "remove", kind, key, before=snapshot(present))
        present.delete()
    publish(f"{actor.name} removed {kind} {key}")
