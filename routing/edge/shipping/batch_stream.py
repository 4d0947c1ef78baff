"""The stream in Redis that carries one edge's request batches to the collector."""

from typing import Any

from pydantic_core import to_json
from redis import Redis
from redis.exceptions import ResponseError

from routing import redis_keys
from routing.edge.state.spool import Position

# Both or neither: a batch that the stream refuses raises before the counts are changed.
_APPEND = """
local options = {KEYS[1], ARGV[1], 'rows', ARGV[2], 'after', ARGV[5]}
if ARGV[4] ~= '' then table.insert(options, 2, ARGV[4]) end
if not redis.call('XADD', unpack(options)) then return 0 end
redis.call('HSET', KEYS[2], 'end', ARGV[1], 'counted', ARGV[3])
return 1
"""


class RequestStream:
    """Each entry is a batch; its id is the place in the spool behind it.

    The server refuses an id that is not above the last, so a batch that is sent again is not stored again.
    All methods raise `RedisError` when the server does not answer as it should.
    """

    def __init__(self, redis: Redis, edge: str) -> None:
        self._redis = redis
        self._key = redis_keys.requests(edge)
        self._counts = redis_keys.counts(edge)

    def last(self) -> Position | None:
        """The place up to which batches were ever appended; None when the stream is not there."""
        try:
            entry_id = self._redis.xinfo_stream(self._key)["last-generated-id"]
        except ResponseError as error:
            if "no such key" in str(error):
                return None
            raise
        return _position(entry_id)

    def collected(self) -> Position | None:
        """The place up to which the lake holds everything; None when the collector has not said, or not legibly."""
        entry_id = self._redis.hget(redis_keys.COLLECTED, self._key)
        try:
            return None if entry_id is None else _position(entry_id)
        except ValueError:
            return None

    def append(
        self, end: Position, rows: list[dict[str, Any]], *, after: Position, create: bool, counted: str = "[]"
    ) -> bool:
        """Append a batch of rows between two places, and keep with it how many were `counted` so far.

        False when the stream is not there and not to be created.
        """
        script = self._redis.register_script(_APPEND)
        option = "" if create else "NOMKSTREAM"
        return bool(script(keys=[self._key, self._counts], args=[str(end), to_json(rows), counted, option, str(after)]))

    def counted(self, end: Position) -> str | None:
        """How many rows were counted up to this place; None when that is not known."""
        place, counted = self._redis.hmget(self._counts, "end", "counted")
        return _text(counted or "[]") if place is not None and _text(place) == str(end) else None

    def losses(self) -> str:
        """What is known of lost rows, as it was kept; empty when nothing was."""
        return _text(self._redis.hget(self._counts, "losses") or "")

    def keep_losses(self, text: str) -> None:
        """Keep what is known of lost rows."""
        self._redis.hset(self._counts, "losses", text)


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _position(entry_id: str | bytes) -> Position:
    segment, end = _text(entry_id).split("-")
    return Position(int(segment), int(end))
