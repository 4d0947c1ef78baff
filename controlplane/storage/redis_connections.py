"""Connections to Redis or Valkey."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from controlplane.settings import get_environment
from controlplane.storage.reserve import get_reserve

log = structlog.get_logger(__name__)

REDIS_TIMEOUT_SECONDS = 3.0
GLANCE_SECONDS = 0.5
ATTEMPTS = 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Written = TypeVar("Written")


@cache
def get_redis() -> redis.Redis:
    """The client of this process; it connects on first use and again after each loss."""
    return _client(socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS)


@cache
def glance_at_redis() -> redis.Redis:
    """A client that gives up at once: for what is only told, and must hold no page up."""
    once = Retry(NoBackoff(), retries=0)
    return _client(socket_timeout=GLANCE_SECONDS, socket_connect_timeout=GLANCE_SECONDS, retry=once)


def write_anyway(client: redis.Redis, write: Callable[[], Written]) -> Written:
    """Do a write that must not fail because the disk of the server is full, or the memory that it may take.

    Such a server refuses all writes. The reserve gives it room; where that is not enough, a server of our own, on this
    machine, begins its file on disk anew and takes writes until it can. One that may take no more memory may do so for
    the one write. Raises `redis.RedisError`.
    """
    try:
        return write()
    except redis.OutOfMemoryError as error:
        if not _is_ours(client):
            raise
        log.error("the server may take no more memory; it takes more for this", reason=str(error))
        return _write_beyond(client, write)
    except redis.ResponseError as error:
        if not _is_full(error) or not _is_ours(client):
            raise
        log.error("the server's disk is full; it goes on in memory", reason=str(error))
        get_reserve().release_when_full()
        return _write_in_memory(client, write)


def _write_in_memory(client: redis.Redis, write: Callable[[], Written]) -> Written:
    """Write while the server has no file. Whoever turns the file on beside this makes it refuse: then once more."""
    for _ in range(ATTEMPTS):
        client.config_set("appendonly", "no")
        try:
            return write()
        except redis.ResponseError as error:
            if not _is_full(error):
                raise
        finally:
            client.config_set("appendonly", "yes")
    return write()


def _write_beyond(client: redis.Redis, write: Callable[[], Written]) -> Written:
    """Write without the bound on the server's memory, which holds again behind it."""
    bound = client.config_get("maxmemory").get("maxmemory") or 0
    client.config_set("maxmemory", 0)
    try:
        return write()
    finally:
        client.config_set("maxmemory", bound)


def _is_full(error: redis.ResponseError) -> bool:
    return str(error).startswith("MISCONF")


def persist_again(client: redis.Redis) -> None:
    """Have a server of our own, whose disk was full and is not any longer, write to it. Raises `redis.RedisError`.

    By itself it may wait an hour, and one that went on in memory may go on refusing writes.
    """
    if not _is_ours(client):
        return
    state = client.info("persistence")
    if state.get("aof_last_write_status") == "err":
        _begin_file_anew(client)
    elif state.get("aof_pending_rewrite") and not state.get("aof_rewrite_in_progress"):
        client.bgrewriteaof()


def _begin_file_anew(client: redis.Redis) -> None:
    """Forget the failed write; the server goes on in memory until it has written all of it."""
    client.config_set("appendonly", "no")
    client.config_set("appendonly", "yes")


def _is_ours(client: redis.Redis) -> bool:
    return client.connection_pool.connection_kwargs.get("host") in LOOPBACK


def _client(**options: object) -> redis.Redis:
    return redis.Redis.from_url(get_environment().redis_url, decode_responses=True, **options)
