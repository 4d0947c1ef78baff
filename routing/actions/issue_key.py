"""Give a client a key, and take it back."""

import secrets
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from routing.actions.publish import check_publishable, publish
from routing.models import AccessKey, Endpoint

SCHEME = "slk"
SHOWN = 10


def issue_key(client: str, *, endpoints: Collection[Endpoint], expires_at: datetime | None, actor: Actor) -> str:
    """Make a key that opens these endpoints, or all that ask for keys; returns its only readable form.

    Raises `NotAllowed`, and `InvalidInput` when edges could not hold it; then nothing is saved.
    """
    actor.require(Role.OPERATOR)
    key = f"{SCHEME}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        made = AccessKey.objects.create(
            client=client,
            prefix=key[:SHOWN],
            digest=sha256(key.encode()).hexdigest(),
            created_by=actor.name,
            expires_at=expires_at,
        )
        made.endpoints.set(endpoints)
        check_publishable()
        opened = [endpoint.key for endpoint in endpoints]
        record(actor, "issue", "accesskey", client, after={"prefix": made.prefix, "endpoints": opened})
    publish(f"{actor.name} issued a key for {client}")
    return key


def revoke_key(key: AccessKey, *, actor: Actor) -> None:
    """Make a key useless, as soon as edges have the table. Raises `NotAllowed`, and `Conflict` when it is already."""
    actor.require(Role.OPERATOR)
    with transaction.atomic():
        if not AccessKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            raise Conflict("already-revoked", f"The key {key} is revoked already.", next_step="There is nothing to do.")
        record(actor, "revoke", "accesskey", key.client, before={"prefix": key.prefix})
    publish(f"{actor.name} revoked a key of {key.client}")
