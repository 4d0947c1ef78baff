"""All that Sluice keeps in Redis or Valkey, by name, and what kind of value each is."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum

from controlplane.settings.queues import JOBS, queue

TABLE = "sluice:table"
TABLE_PUBLISHED = "sluice:table:published"
ORDERS = "sluice:orders"
TICKED = "sluice:ticked"
CLOCKS = "sluice:clocks"
EDGES = "sluice:edges"
OUTCOMES = "sluice:outcomes"
COLLECTED = "sluice:collected"
COLLECTOR = "sluice:collector"
REJECTED = "sluice:rejected"
TIDIED = "sluice:tidied"
UNTIDIED = "sluice:untidied"
EDGE_ROWS = "sluice:edge-rows"
GAPS = "sluice:gaps"
SHARES = "sluice:shares"
CLEARED = "sluice:cleared"
REQUESTS_PREFIX = "sluice:requests:"

# These share the stream's slot, so that a cluster runs a script over all of them on one node.
BELONGING = f"{{{OUTCOMES}}}:belonging"

WRONG_TYPE = "WRONGTYPE"
"""What the server's refusal begins with where something of another kind lies."""


class Kind(StrEnum):
    """What a value is, in the words of the server; a lease is a string that expires."""

    STRING = "string"
    LEASE = "string that expires"
    HASH = "hash"
    LIST = "list"
    SET = "set"
    STREAM = "stream"


KINDS: Mapping[str, Kind] = {
    CLEARED: Kind.HASH,
    TABLE: Kind.HASH,
    ORDERS: Kind.LIST,
    TICKED: Kind.STRING,
    CLOCKS: Kind.HASH,
    EDGES: Kind.SET,
    OUTCOMES: Kind.STREAM,
    COLLECTED: Kind.HASH,
    COLLECTOR: Kind.HASH,
    REJECTED: Kind.STREAM,
    TIDIED: Kind.HASH,
    UNTIDIED: Kind.HASH,
    EDGE_ROWS: Kind.HASH,
    GAPS: Kind.HASH,
    SHARES: Kind.STRING,
    BELONGING: Kind.STRING,
    **dict.fromkeys(map(queue, JOBS), Kind.LIST),
}
"""Those of which there is one."""


def edge(name: str) -> str:
    """Hash with the heartbeat of one edge; it expires when the edge falls silent."""
    return f"sluice:edge:{name}"


def counts(edge_name: str) -> str:
    """Hash with how many rows one edge has shipped, and which are lost."""
    return f"sluice:counts:{edge_name}"


def requests(edge_name: str) -> str:
    """Stream of request batches from one edge."""
    return f"{REQUESTS_PREFIX}{edge_name}"


def tidying(table: str) -> str:
    """Lease of who keeps a table of the lake in order."""
    return f"sluice:tidy:{table}"


def outcome_counts(day: date) -> str:
    """Hash with what became of the outcomes of a day."""
    return f"{{{OUTCOMES}}}:counts:{day.isoformat()}"


def outcome_mark(event_id: str) -> str:
    """There while an outcome of this id is remembered, whatever its value."""
    return f"{{{OUTCOMES}}}:id:{event_id}"


def import_progress(key: str) -> str:
    """Hash with how far the import of a file is."""
    return f"{{{OUTCOMES}}}:import:{key}"


def import_lease(key: str) -> str:
    """Lease of who imports a file."""
    return f"sluice:import:{key}"


def kinds(
    *, edges: Iterable[str] = (), tables: Iterable[str] = (), days: Iterable[date] = (), imports: Iterable[str] = ()
) -> Iterator[tuple[str, Kind]]:
    """Every key, with those of these edges, tables of the lake, days and imports, and what lies there."""
    yield from KINDS.items()
    for name in edges:
        yield from ((edge(name), Kind.HASH), (counts(name), Kind.HASH), (requests(name), Kind.STREAM))
    yield from ((tidying(table), Kind.LEASE) for table in tables)
    yield from ((outcome_counts(day), Kind.HASH) for day in days)
    for key in imports:
        yield from ((import_progress(key), Kind.HASH), (import_lease(key), Kind.LEASE))
