"""Add a backend or an endpoint."""

import secrets

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.models import Role
from routing.actions.publish import check_publishable, publish
from routing.models import Backend, Endpoint
from routing.snapshots import snapshot


def register(thing: Backend | Endpoint, *, actor: Actor) -> None:
    """Save a new backend or endpoint and publish it.

    Raises `NotAllowed`, and `InvalidInput` when edges could not serve it; then nothing is saved.
    """
    actor.require(Role.OPERATOR)
    if isinstance(thing, Endpoint) and not thing.salt:
        thing.salt = secrets.token_hex(8)
    kind = thing._meta.model_name or ""
    with transaction.atomic():
        thing.save(force_insert=True)
        check_publishable()
        record(actor, "register", kind, thing.key, after=snapshot(thing))
    publish(f"{actor.name} registered {kind} {thing.key}")
