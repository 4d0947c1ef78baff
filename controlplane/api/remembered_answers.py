"""What was answered to writes that clients may send again, by the key that each of them chose.

It is kept in Redis for a day. A body may name a user, so that only a keyed hash of what was sent is kept.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import redis
import structlog
from django.utils.crypto import salted_hmac

from controlplane.problems.errors import Unavailable
from controlplane.storage.redis_connections import glance_at_redis

log = structlog.get_logger(__name__)

KEPT_SECONDS = 86_400
RUNNING_SECONDS = 300
"""Longer than the front waits for an answer: what has none by then has died."""

_PREFIX = "sluice:answer:"


class Progress(StrEnum):
    """How far a write is."""

    RUNNING = "running"
    DONE = "done"
    DONE_IN_SECRET = "done in secret"  # noqa: S105 - no secret, but the word for one
    """Its answer holds a secret, which is kept nowhere."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A write that was sent before: a hash of all of it, how far it is, and what was answered once it is done."""

    sent: str
    progress: Progress = Progress.RUNNING
    status: int = 0
    content: Any = None
    etag: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """One as it is stored."""
        stored = json.loads(text)
        return cls(**{**stored, "progress": Progress(stored["progress"])})

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def hashed(*parts: bytes) -> str:
    """What nobody tells the parts from."""
    lengths = b",".join(b"%d" % len(part) for part in parts)
    return salted_hmac(__name__, b"".join((lengths, *parts)), algorithm="sha256").hexdigest()


def begin(key: str, sent: str) -> Remembered | None:
    """Claim a key. Returns what is remembered where somebody has. Raises `Unavailable`, as nothing could be told."""
    try:
        found = glance_at_redis().set(_name(key), str(Remembered(sent)), nx=True, get=True, ex=RUNNING_SECONDS)
    except redis.RedisError as error:
        log.warning("no write with a key is taken", reason=str(error))
        raise Unavailable(
            "keys-not-kept",
            "Redis does not answer, so that nobody can tell whether this was done before. Nothing was done now.",
            next_step="Send it again later, or without `Idempotency-Key`.",
        ) from error
    return None if found is None else Remembered.read(str(found))


def recall(key: str) -> Remembered | None:
    """What is remembered; nothing where Redis is away."""
    try:
        found = glance_at_redis().get(_name(key))
    except redis.RedisError as error:
        log.warning("an answer is not recalled", reason=str(error))
        return None
    return None if found is None else Remembered.read(str(found))


def remember(key: str, done: Remembered) -> None:
    """Keep an answer for a day."""
    try:
        glance_at_redis().set(_name(key), str(done), ex=KEPT_SECONDS)
    except redis.RedisError as error:
        log.warning("an answer is not kept", reason=str(error))


def release(key: str) -> None:
    """Let the key be used again: nothing was done."""
    try:
        glance_at_redis().delete(_name(key))
    except redis.RedisError as error:
        log.warning("a key is not released", reason=str(error))


def _name(key: str) -> str:
    return f"{_PREFIX}{key}"
