"""Change what users of an endpoint get by default: an audience, or everybody without a rule."""

from collections.abc import Sequence
from datetime import datetime

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.catalogue.writes import snapshot
from controlplane.models import Right
from controlplane.storage.versions import change, locked
from routing.models import Endpoint
from routing.resources.defaults import Default, with_default


def set_default(
    endpoint: Endpoint,
    default: Default,
    *,
    audience: Sequence[str],
    everybody: bool,
    key: str,
    actor: Actor,
    reason: str,
    at: datetime | None = None,
) -> None:
    """Give this to an audience, by a rule of this key, or to everybody without a rule; other fields stay as they are.

    Call it inside `changing`, and publish after it. Raises `NotAllowed`.
    """
    actor.require(Right.PROMOTE, endpoint=endpoint.key)
    present = locked(endpoint)
    before = snapshot(present)
    changes = with_default(present, default, audience=audience, everybody=everybody, key=key)
    change(present, changes)
    after = snapshot(present)
    changed = [name for name in after if name in changes and before[name] != after[name]]
    record(
        actor,
        "promote",
        "endpoint",
        present.key,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        reason=reason,
        at=at,
    )
