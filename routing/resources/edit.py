"""Change what routing tables are made of."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from controlplane.storage.keyed import Keyed
from routing.models import Backend, Endpoint
from routing.publishing.together import publish_change
from routing.resources.changing import changing
from routing.resources.own_layer import own_layer
from routing.resources.refuse_addresses import refuse_addresses
from routing.resources.refuse_limited import refuse_matching
from routing.resources.refuse_moves import refuse_moves


def edit(thing: Keyed, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> None:
    """Set these fields, and no others, of the row as it is now, and publish it.

    With `version`, only when that is the present one. Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` when
    it would reassign the users of a running experiment; `InvalidInput` when edges could not serve it. Then nothing is
    saved.
    """
    if isinstance(thing, Backend) and "addresses" in changes:
        refuse_addresses(changes["addresses"])

    def check(changed: Keyed, before: Mapping[str, Any]) -> None:
        refuse_matching(actor, changed, before)
        refuse_moves(changed, before)

    with changing(thing):
        whole = _completed(thing, changes)
        changed = writes.edit(thing, whole, actor=actor, version=version, check=check)
    if changed:
        publish_change(f"{actor.name} edited {writes.kind_of(thing)} {thing.key}")


def _completed(thing: Keyed, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """An endpoint that shall be in no layer gets its own."""
    if isinstance(thing, Endpoint) and "layer" in changes and changes["layer"] is None:
        return {**changes, "layer": own_layer(thing)}
    return changes
