"""Whether edges were told of what is recorded."""

import redis

from controlplane.problems.errors import Unavailable
from controlplane.storage.redis_connections import glance_at_redis
from routing.publishing import redis_table
from routing.publishing.newest_table import latest_table


def require_told() -> None:
    """Raise `Unavailable` while edges would fetch an older table than the newest: a brake is no success before."""
    newest = latest_table()
    reason = "" if newest is None else _untold(newest.version)
    if newest is not None and reason:
        raise Unavailable(
            "edges-not-told",
            f"It is recorded, and routing table {newest.version} says so, but edges go on with an older one: {reason}",
            next_step="Bring Redis back: edges are told at once then, and nothing has to be sent again. "
            "Until then only stopping the candidate's backend helps.",
        )


def _untold(version: int) -> str:
    """Why edges do not know of this version; empty when they do."""
    try:
        told = redis_table.current_version(glance_at_redis())
    except redis.RedisError as error:
        return f"Redis does not answer ({error})."
    return f"Redis still has table {told}." if told < version else ""
