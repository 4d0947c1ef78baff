"""Change a backend, an endpoint or a layer."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.models import Role
from routing.actions.own_layer import own_layer
from routing.actions.publish import check_publishable, publish
from routing.actions.refuse_moves import refuse_moves
from routing.models import Backend, Endpoint, Issuer, Layer, new_salt
from routing.snapshots import snapshot


def edit(thing: Backend | Endpoint | Layer | Issuer, *, actor: Actor) -> None:
    """Save a changed backend, endpoint or layer and publish it.

    Raises `NotAllowed`; `Conflict` when it would reassign the users of a running experiment; `InvalidInput` when
    edges could not serve it. Then nothing is saved.
    """
    actor.require(Role.OPERATOR)
    kind = thing._meta.model_name or ""
    with transaction.atomic():
        before = snapshot(type(thing)._default_manager.select_for_update().get(pk=thing.pk))
        if isinstance(thing, Endpoint) and not thing.layer_id:
            thing.layer = own_layer(thing)
        if isinstance(thing, Layer):
            thing.salt = thing.salt or new_salt()
        if isinstance(thing, Endpoint | Layer):
            refuse_moves(thing, before)
        thing.save(force_update=True)
        check_publishable()
        record(actor, "edit", kind, thing.key, before=before, after=snapshot(thing))
    publish(f"{actor.name} edited {kind} {thing.key}")
