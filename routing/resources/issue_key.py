"""Give a client a key, and take it back."""

import secrets
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from routing.models import AccessKey, Endpoint
from routing.publishing.publish import publish
from routing.publishing.pull import pull
from routing.publishing.waiting_orders import Order, Verb
from routing.resources.changing import changing

SCHEME = "slk"
SHOWN = 10


def issue_key(
    client: str,
    *,
    endpoints: Collection[Endpoint],
    expires_at: datetime | None,
    actor: Actor,
    for_tests: bool = False,
) -> str:
    """Make a key that opens these endpoints, or all that ask for keys; returns its only readable form.

    One that is for tests lets whoever has it force variants there and be explained to, also where no key is asked for.

    Raises `NotAllowed`; `Conflict` when an endpoint was just removed; `InvalidInput` when edges could not hold it. Then
    nothing is saved.
    """
    actor.require_anywhere(Right.PLAN)
    actor.require_endpoints([endpoint.key for endpoint in endpoints])
    key = f"{SCHEME}_{secrets.token_urlsafe(32)}"
    with changing(*endpoints):
        made = AccessKey.objects.create(
            client=client,
            prefix=key[:SHOWN],
            digest=sha256(key.encode()).hexdigest(),
            created_by=actor.name,
            expires_at=expires_at,
            for_tests=for_tests,
        )
        made.endpoints.set(endpoints)
        opened = [endpoint.key for endpoint in endpoints]
        told = {"prefix": made.prefix, "endpoints": opened, "for_tests": for_tests}
        record(actor, "issue", "accesskey", client, after=told)
    publish(f"{actor.name} issued a key for {client}")
    return key


def revoke_key(key: AccessKey, *, actor: Actor) -> None:
    """Make a key useless, as soon as edges have the table.

    Raises `NotAllowed`, `Conflict` when it is already, and as `pull` does.
    """
    actor.require(Right.PLAN)
    order = Order(verb=Verb.REVOKE, subject=key.digest, actor=actor.name, role=actor.role, reason="")
    pull(order, lambda: record_revocation(key, order), f"{actor.name} revoked a key of {key.client}")


def record_revocation(key: AccessKey, order: Order) -> None:
    """Note it with its audit event. Raises `Conflict` when the key is revoked already."""
    with transaction.atomic():
        if not AccessKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=order.at):
            raise Conflict("already-revoked", f"The key {key} is revoked already.", next_step="There is nothing to do.")
        record(order.by(), order.verb, "accesskey", key.client, before={"prefix": key.prefix}, at=order.at)
