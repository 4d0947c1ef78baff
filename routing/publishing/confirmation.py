"""Which edges serve the routing table that they are told, and which have not said so yet."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis
import structlog
from django.db import DatabaseError

from controlplane.storage.redis_connections import glance_at_redis
from routing import living_edges
from routing.models import Edge, RoutingTable
from routing.publishing import redis_table
from routing.publishing.redis_table import to_version

PATIENCE_SECONDS = 2.0
"""How long an answer waits for edges. One that is well confirms within a second."""

LOOK_SECONDS = 0.05

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServingEdge:
    """An edge, and the version of the table that it last said it serves; 0 where it did not say.

    A silent one is not heard from any more.
    """

    name: str
    version: int
    silent: bool


@dataclass(frozen=True, slots=True)
class Confirmation:
    """All edges that are known, beside the version of the table that they are told."""

    version: int
    edges: tuple[ServingEdge, ...]

    @property
    def confirmed(self) -> list[str]:
        """Names of those that serve it, or a newer one."""
        return [edge.name for edge in self.edges if edge.version >= self.version]

    @property
    def missing(self) -> list[ServingEdge]:
        """Those that did not say so yet."""
        return [edge for edge in self.edges if edge.version < self.version]

    @property
    def unconfirmed(self) -> list[str]:
        """Their names."""
        return [edge.name for edge in self.missing]

    @property
    def sentence(self) -> str:
        """Who confirmed it and who did not; empty where no edge is known."""
        if not self.missing:
            return f"Confirmed by {_listed(self.confirmed)}." if self.confirmed else ""
        confirmed = f" Confirmed by {_listed(self.confirmed)}." if self.confirmed else ""
        return f"Not confirmed yet by {_listed(self.unconfirmed)}: users there may go on as before.{confirmed}"


def await_edges(seconds: float = PATIENCE_SECONDS, *, recorded: bool = True) -> Confirmation:
    """What edges have confirmed, once all have that report at all; at the latest after so many seconds.

    Without those that are `recorded` alone the database is asked nothing.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = read_confirmation(recorded=recorded)
        if all(edge.silent for edge in found.missing) or time.monotonic() >= deadline:
            return found
        time.sleep(LOOK_SECONDS)


def read_confirmation(*, recorded: bool = True) -> Confirmation:
    """What edges have confirmed by now, as far as Redis and the database can be read."""
    known = _recorded() if recorded else {}
    try:
        client = glance_at_redis()
        version, reporting = redis_table.current_version(client), _reporting(client)
    except redis.RedisError as error:
        log.warning("edges cannot be asked what they serve", reason=str(error))
        version, reporting = _newest_version() if known else 0, {}
    served = {**known, **reporting}
    edges = (ServingEdge(name, served[name], silent=name not in reporting) for name in sorted(served))
    return Confirmation(version, tuple(edges))


def _reporting(client: redis.Redis) -> dict[str, int]:
    """What each edge says that it serves, of those whose heartbeat has not expired."""
    beats = {living_edges.known_name(name): _beat(client, name) for name in living_edges.names(client)}
    return {name: to_version(beat.get("applied_version", "")) for name, beat in beats.items() if beat}


def _beat(client: redis.Redis, name: bytes) -> dict[str, str]:
    """A heartbeat; of what is none, that it tells nothing."""
    try:
        return living_edges.fields(client, name)
    except redis.ResponseError:
        return {"applied_version": ""}


def _recorded() -> dict[str, int]:
    try:
        return dict(Edge.objects.values_list("name", "applied_version"))
    except DatabaseError as error:
        log.warning("recorded edges cannot be read", reason=str(error))
        return {}


def _newest_version() -> int:
    try:
        newest = RoutingTable.objects.order_by("-version").values_list("version", flat=True).first()
    except DatabaseError:
        return 0
    return newest or 0


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
