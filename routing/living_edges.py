"""What edges write of themselves into Redis, byte for byte: an edge may send what is no text."""

from typing import Any

import redis

from routing import redis_keys

LONGEST_NAME = 63


def names(client: redis.Redis) -> set[bytes]:
    """Edges that have reported and were not forgotten since. Raises `redis.RedisError`."""
    return set(_as_bytes(client, "SMEMBERS", redis_keys.EDGES))


def fields(client: redis.Redis, name: bytes) -> dict[str, str]:
    """The heartbeat of an edge as text; empty once it has expired. Raises `redis.RedisError`."""
    found: dict[bytes, bytes] = _as_bytes(client, "HGETALL", redis_keys.edge("").encode() + name)
    return {as_text(field): as_text(value) for field, value in found.items()}


def as_text(value: bytes) -> str:
    """What a database takes."""
    return value.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def known_name(name: bytes) -> str:
    """Under which name an edge is recorded."""
    return as_text(name)[:LONGEST_NAME]


def _as_bytes(client: redis.Redis, *command: str | bytes) -> Any:
    """The answer as it is: who reads it as UTF-8 raises at the first edge that sends something else."""
    return client.execute_command(*command, NEVER_DECODE=True)  # type: ignore[no-untyped-call]
