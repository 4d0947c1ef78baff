"""The streams that carry batches through Redis: which there are, what waits in them, what is collected.

An entry's id is also one integer, its position: the lake remembers positions, Redis orders ids.
Position 0 comes before every entry.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from redis import Redis

from routing import redis_keys
from routing.lake.batches import Rejected
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable

REJECTED_KEPT = 10_000

SEQUENCE_BITS = {REQUESTS: 32, OUTCOMES: 20}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream: where it lies, the batch it carries, and the position that it follows, where it says."""

    stream: str
    position: int
    payload: bytes
    after: int | None = None


def to_position(table: LakeTable, entry_id: str) -> int:
    """The integer that stands for an entry id; it orders as the ids do."""
    high, low = entry_id.split("-")
    return int(high) << SEQUENCE_BITS[table] | int(low)


def to_entry_id(table: LakeTable, position: int) -> str:
    """The entry id that a position stands for."""
    bits = SEQUENCE_BITS[table]
    return f"{position >> bits}-{position & ((1 << bits) - 1)}"


def collected_positions(redis: Redis, table: LakeTable) -> dict[str, int]:
    """What Redis was last told to be in the lake: stream -> position; without what is no position."""
    told = cast("dict[bytes, bytes]", redis.hgetall(redis_keys.COLLECTED))
    streams = {stream.decode(errors="replace"): _position(table, entry_id) for stream, entry_id in told.items()}
    return {name: at for name, at in streams.items() if at is not None and _belongs(table, name)}


def streams_of(redis: Redis, table: LakeTable) -> set[str]:
    """The streams that feed a table: for requests, those of all edges now alive or ever collected."""
    if table is OUTCOMES:
        return {redis_keys.OUTCOMES}
    edges = (edge.decode(errors="replace") for edge in cast("set[bytes]", redis.smembers(redis_keys.EDGES)))
    return {redis_keys.requests(edge) for edge in edges} | set(collected_positions(redis, table))


def read_round(redis: Redis, table: LakeTable, positions: Mapping[str, int], count: int) -> list[Entry]:
    """At most `count` entries of each stream that come after its position; it does not wait for any."""
    after = {stream: to_entry_id(table, position) for stream, position in positions.items()}
    answer = redis.xread(after, count=count) if after else []  # type: ignore[arg-type,unused-ignore]
    return list(_entries(table, cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]", answer)))


def acknowledge(redis: Redis, table: LakeTable, positions: Mapping[str, int]) -> None:
    """Tell how far each stream is in the lake, and drop from Redis what is.

    What was already told is never taken back: a lower position is only late news.
    """
    told = collected_positions(redis, table)
    for stream, position in positions.items():
        if position > told.get(stream, 0):
            redis.hset(redis_keys.COLLECTED, stream, to_entry_id(table, position))
            redis.xtrim(stream, minid=to_entry_id(table, position + 1), approximate=False)


def note_step(redis: Redis, table: LakeTable) -> None:
    """Tell that a collector is through with a step for this table: where none is for long, an alert says so."""
    redis.hset(redis_keys.COLLECTOR, table.name, datetime.now(UTC).isoformat())


def set_aside(redis: Redis, table: LakeTable, entry: Entry, rejected: Iterable[Rejected]) -> None:
    """Keep what could not be stored where a person can look at it; the oldest make room for the newest."""
    entry_id = to_entry_id(table, entry.position)
    with redis.pipeline(transaction=False) as pipeline:
        for row in rejected:
            pipeline.xadd(
                redis_keys.REJECTED,
                {"stream": entry.stream, "id": entry_id, "reason": row.reason, "content": row.content},
                maxlen=REJECTED_KEPT,
            )
        pipeline.execute()


def forget_rejected(redis: Redis, unit: int) -> None:
    """Remove what was set aside and names a unit."""
    needle = str(unit).encode()
    kept = cast("list[tuple[bytes, dict[bytes, bytes | str]]]", redis.xrange(redis_keys.REJECTED))
    gone = [entry_id for entry_id, fields in kept if any(needle in _bytes(value) for value in fields.values())]
    if gone:
        redis.xdel(redis_keys.REJECTED, *gone)


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _belongs(table: LakeTable, stream: str) -> bool:
    return stream == redis_keys.OUTCOMES if table is OUTCOMES else stream.startswith(redis_keys.REQUESTS_PREFIX)


def _entries(table: LakeTable, answer: list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]) -> Iterator[Entry]:
    for stream, entries in answer:
        for entry_id, fields in entries:
            position, after = to_position(table, entry_id.decode()), _position(table, fields.get(b"after", b""))
            yield Entry(stream.decode(), position, fields.get(b"rows", b""), after)


def _position(table: LakeTable, told: bytes) -> int | None:
    try:
        return to_position(table, told.decode())
    except ValueError:
        return None
