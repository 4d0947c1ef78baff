"""Puts a routing table where the edges find it. A table only ever replaces an older one."""

from dataclasses import dataclass

import redis

from routing import keys

_SET_IF_NEWER = """
local current = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if tonumber(ARGV[1]) <= current then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'content', ARGV[2])
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[3]) end
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Told:
    """The table that edges would fetch now; version 0 when there is none."""

    version: int
    content: str


def put_table(client: redis.Redis, version: int, content: str, *, order: str = "") -> bool:
    """Set the current table by compare-and-swap on its version; False when an equal or newer one is there.

    An `order` is kept in the same step, to be recorded later. Raises `redis.RedisError` when the server does not
    answer.
    """
    script = client.register_script(_SET_IF_NEWER)
    return bool(script(keys=[keys.TABLE, keys.TABLE_PUBLISHED, keys.ORDERS], args=[version, content, order]))


def current_version(client: redis.Redis) -> int:
    """The version that edges would fetch now; 0 when there is none."""
    return int(client.hget(keys.TABLE, "version") or 0)


def current_table(client: redis.Redis) -> Told:
    """What edges would fetch now."""
    version, content = client.hmget(keys.TABLE, "version", "content")
    return Told(int(version or 0), str(content or ""))
