"""Add a backend, an endpoint or a layer."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.storage.races import insert
from controlplane.storage.versions import check_together
from routing.models import Backend, Endpoint, Issuer, Layer, new_salt
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.own_layer import own_layer
from routing.resources.snapshots import snapshot


def register(thing: Backend | Endpoint | Layer | Issuer, *, actor: Actor) -> None:
    """Save a new backend, endpoint or layer and publish it.

    Raises `NotAllowed`; `Conflict` when somebody else has just taken the key or removed what it needs; `InvalidInput`
    when edges could not serve it. Then nothing is saved.
    """
    actor.require(Role.OPERATOR)
    if isinstance(thing, Layer) and not thing.salt:
        thing.salt = new_salt()
    kind = thing._meta.model_name or ""
    with changing():
        if isinstance(thing, Endpoint) and not thing.layer_id:
            thing.layer = own_layer(thing)
        check_together(thing)
        insert(thing)
        record(actor, "register", kind, thing.key, after=snapshot(thing))
    publish(f"{actor.name} registered {kind} {thing.key}")
