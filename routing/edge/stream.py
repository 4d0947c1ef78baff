"""The stream in Redis that carries one edge's request batches to the collector."""

from typing import Any

from pydantic_core import to_json
from redis import Redis
from redis.exceptions import ResponseError

from routing import keys
from routing.edge.spool import Position


class RequestStream:
    """Each entry is a batch; its id is the place in the spool behind it.

    The server refuses an id that is not above the last, so a batch that is sent again is not stored again.
    All methods raise `RedisError` when the server does not answer as it should.
    """

    def __init__(self, redis: Redis, edge: str) -> None:
        self._redis = redis
        self._key = keys.requests(edge)

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
        """The place up to which the lake holds everything; None when the collector has not said."""
        entry_id = self._redis.hget(keys.COLLECTED, self._key)
        return None if entry_id is None else _position(entry_id)

    def append(self, end: Position, rows: list[dict[str, Any]], *, create: bool) -> bool:
        """Append a batch of rows that ends at this place; False when the stream is not there and not to be created."""
        fields: dict[Any, Any] = {"rows": to_json(rows)}
        return self._redis.xadd(self._key, fields, id=str(end), nomkstream=not create) is not None


def _position(entry_id: str | bytes) -> Position:
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    segment, end = text.split("-")
    return Position(int(segment), int(end))
