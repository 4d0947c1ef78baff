"""Add what routing tables are made of: a backend, an endpoint and whatever else has a key."""

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from controlplane.storage.keyed import Keyed
from routing.models import Backend, Endpoint
from routing.publishing.together import publish_change
from routing.resources.changing import changing
from routing.resources.own_layer import own_layer
from routing.resources.refuse_addresses import refuse_addresses
from routing.resources.refuse_limited import refuse_coming_and_going


def register(thing: Keyed, *, actor: Actor) -> None:
    """Save a new row and publish it.

    Raises `NotAllowed`; `Conflict` when somebody else has just taken the key or removed what it needs; `InvalidInput`
    when edges could not serve it. Then nothing is saved.
    """
    refuse_coming_and_going(actor, thing)
    if isinstance(thing, Backend):
        refuse_addresses(thing.addresses)
    with changing():
        if isinstance(thing, Endpoint) and not thing.layer_id:
            thing.layer = own_layer(thing)
        writes.add(thing, actor=actor)
    publish_change(f"{actor.name} registered {writes.kind_of(thing)} {thing.key}")
