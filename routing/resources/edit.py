"""Change what routing tables are made of."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.storage.keyed import Keyed
from controlplane.storage.versions import change, locked
from routing.models import Endpoint
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.own_layer import own_layer
from routing.resources.refuse_moves import refuse_moves
from routing.resources.snapshots import snapshot


def edit(thing: Keyed, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> None:
    """Set these fields, and no others, of the row as it is now, and publish it.

    With `version`, only when that is the present one. Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` when
    it would reassign the users of a running experiment; `InvalidInput` when edges could not serve it. Then nothing is
    saved.
    """
    actor.require(Role.OPERATOR)
    kind = thing._meta.model_name or ""
    with changing(thing):
        present = locked(thing, version=version)
        before = snapshot(present)
        if not change(present, _completed(present, changes), lambda changed: refuse_moves(changed, before)):
            return
        record(actor, "edit", kind, present.key, before=before, after=snapshot(present))
    publish(f"{actor.name} edited {kind} {present.key}")


def _completed(present: Keyed, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """An endpoint that shall be in no layer gets its own."""
    if isinstance(present, Endpoint) and "layer" in changes and changes["layer"] is None:
        return {**changes, "layer": own_layer(present)}
    return changes
