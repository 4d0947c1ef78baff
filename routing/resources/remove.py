"""Take away what nothing uses."""

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from controlplane.problems.errors import Conflict
from controlplane.storage.keyed import Keyed
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.references import users_of
from routing.resources.refuse_limited import refuse_coming_and_going

KEPT = {"backend": "Remove or change these first. A backend that only ended experiments name can be retired."}


def remove(thing: Keyed, *, actor: Actor, version: int | None = None) -> None:
    """Delete a row and publish; with `version`, only when that is its present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` when something names it. Then nothing is done.
    """
    refuse_coming_and_going(actor, thing)
    with changing():
        writes.remove(thing, actor=actor, version=version, check=_refuse_while_used)
    publish(f"{actor.name} removed {writes.kind_of(thing)} {thing.key}")


def _refuse_while_used(thing: Keyed) -> None:
    users, kind = users_of(thing), writes.kind_of(thing)
    if users:
        detail = f"The {kind} {thing.key} is used by {', '.join(users)}."
        raise Conflict("in-use", detail, next_step=KEPT.get(kind, "Remove or change these first."))
