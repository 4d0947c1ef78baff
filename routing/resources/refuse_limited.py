"""Refuse to who is limited to endpoints what would give these the requests of others."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.catalogue.writes import snapshot
from controlplane.problems.errors import NotAllowed
from controlplane.storage.keyed import Keyed
from routing.models import Endpoint

MATCHING = ("path_prefix", "hosts", "methods", "conditions", "model_names", "layer")
"""Fields that say which requests an endpoint gets, and whose users it has."""


def refuse_matching(actor: Actor, thing: Keyed, before: Mapping[str, Any]) -> None:
    """Compare a changed thing with its row from `before`; of endpoints alone it matters. Raises `NotAllowed`."""
    if isinstance(thing, Endpoint) and actor.endpoints is not None:
        after = snapshot(thing)
        changed = [name for name in MATCHING if after[name] != before[name]]
        if changed:
            raise _refusal(actor, f"changing {' and '.join(changed)} may take requests or users from others")


def refuse_coming_and_going(actor: Actor, thing: Keyed) -> None:
    """Of endpoints alone it matters: one that comes or goes changes what others get. Raises `NotAllowed`."""
    if isinstance(thing, Endpoint) and actor.endpoints is not None:
        raise _refusal(actor, "an endpoint that is added or removed may take requests from others or give them some")


def _refusal(actor: Actor, why: str) -> NotAllowed:
    return NotAllowed(
        "endpoint-missing",
        f"{actor.name} is limited to some endpoints, and {why}.",
        next_step="Ask somebody who is limited to no endpoints to do it.",
    )
