"""Puts a routing table where the edges find it. A table only ever replaces an older one."""

from dataclasses import dataclass

import redis

from routing import redis_keys
from routing.table import Table, TableUnreadableError, from_json

MOST_AHEAD = 1_000_000_000
"""Versions that edges may be ahead of what is known. No brakes are pulled as often while a database is away."""

_SET_IF_NEWER = f"""
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local found = redis.call('HGET', KEYS[1], 'version') or ''
local current = #found <= 15 and string.find(found, '^%d+$') and tonumber(found) or 0
if current > tonumber(ARGV[1]) + {MOST_AHEAD} then current = 0 end
if tonumber(ARGV[1]) <= current then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'content', ARGV[2])
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[3]) end
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 1
"""


LONGEST_VERSION = 15
"""Digits of a version; more are no version, nor is anything else."""


@dataclass(frozen=True, slots=True)
class TableTold:
    """The table that edges would fetch now; version 0 when there is none, or none that can be read."""

    version: int
    content: str | bytes

    def is_ours(self, known: int) -> bool:
        """Whether a version can follow on one that is known; one that cannot is larger than any table's will be."""
        return self.version <= known + MOST_AHEAD

    def read(self, known: int) -> Table:
        """The table, for somebody who knows of one of a version.

        Raises:
            TableUnreadableError: it is none, is told as another than it is, or is far ahead of all that is known.

        """
        if not self.is_ours(known):
            raise TableUnreadableError(f"Version {self.version} is too large: the newest that is known is {known}.")
        table = from_json(self.content)
        if table.version != self.version:
            raise TableUnreadableError(f"Table {table.version} is told as version {self.version}.")
        return table


def put_table(client: redis.Redis, version: int, content: str, *, order: str = "") -> bool:
    """Set the current table by compare-and-swap on its version; False when an equal or newer one is there.

    What cannot be read as a version is older than any, and so is what is far ahead of all tables.

    An `order` is kept in the same step, to be recorded later. Raises `redis.RedisError` when the server does not
    answer.
    """
    script = client.register_script(_SET_IF_NEWER)
    return bool(
        script(keys=[redis_keys.TABLE, redis_keys.TABLE_PUBLISHED, redis_keys.ORDERS], args=[version, content, order])
    )


def current_version(client: redis.Redis) -> int:
    """The version that edges would fetch now; 0 when there is none, or none that can be read."""
    return current_table(client).version


def current_table(client: redis.Redis) -> TableTold:
    """What edges would fetch now."""
    try:
        version, content = client.hmget(redis_keys.TABLE, "version", "content")
    except redis.ResponseError as error:
        if not str(error).startswith(redis_keys.WRONG_TYPE):
            raise
        return TableTold(0, "")
    return TableTold(to_version(version), content or "")


def to_version(text: str | bytes | None) -> int:
    """The version that was told; 0 for what is none."""
    digits = text or b""
    return int(digits) if digits.isdigit() and digits.isascii() and len(digits) <= LONGEST_VERSION else 0
