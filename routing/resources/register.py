"""Add what routing tables are made of: a backend, an endpoint and whatever else has a key."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.storage.keyed import Keyed
from controlplane.storage.races import insert
from controlplane.storage.versions import check_together
from routing.models import Endpoint
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.own_layer import own_layer
from routing.resources.snapshots import snapshot


def register(thing: Keyed, *, actor: Actor) -> None:
    """Save a new row and publish it.

    Raises `NotAllowed`; `Conflict` when somebody else has just taken the key or removed what it needs; `InvalidInput`
    when edges could not serve it. Then nothing is saved.
    """
    actor.require(Role.OPERATOR)
    kind = thing._meta.model_name or ""
    with changing():
        if isinstance(thing, Endpoint) and not thing.layer_id:
            thing.layer = own_layer(thing)
        check_together(thing)
        insert(thing)
        record(actor, "register", kind, thing.key, after=snapshot(thing))
    publish(f"{actor.name} registered {kind} {thing.key}")
