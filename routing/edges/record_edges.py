"""Keep what the edges last reported, also after they fall silent."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import redis
import structlog
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from routing import redis_keys
from routing.edges.heartbeats import read_heartbeat
from routing.models import Edge

log = structlog.get_logger(__name__)

MOST_LOSSES = 1_000

LONGEST_NAME = 63


def record_edges(client: redis.Redis, *, now: datetime | None = None) -> int:
    """Copy the heartbeats of living edges into the database; returns how many there are.

    What cannot be read of one is kept as its alert and stops no other. Edges that were retired are forgotten in Redis
    too, once the collector has all of their rows. Raises `redis.RedisError` when the server does not answer.
    """
    moment = now or timezone.now()
    names: set[bytes] = _as_bytes(client, "SMEMBERS", redis_keys.EDGES)
    living = {name for name in sorted(names) if _record(client, name, moment)}
    _forget(client, names - living)
    return len(living)


def _record(client: redis.Redis, name: bytes, now: datetime) -> bool:
    """Whether the edge has a heartbeat, which was copied, or what is wrong with it."""
    try:
        beat = _fields(client, name)
        if beat:
            _keep(_text(name), _columns(_text(name), beat, now))
    except (redis.ResponseError, DataError, IntegrityError, ValueError) as error:
        log.warning("heartbeat not read", edge=_text(name), error=str(error))
        _keep(_text(name), {"unread": f"the heartbeat as a whole: {type(error).__name__}"}, seen_at=now)
        return True
    return bool(beat)


def _fields(client: redis.Redis, name: bytes) -> dict[str, str]:
    """The hash as text."""
    found: dict[bytes, bytes] = _as_bytes(client, "HGETALL", redis_keys.edge("").encode() + name)
    return {_text(field): _text(value) for field, value in found.items()}


def _as_bytes(client: redis.Redis, *command: str | bytes) -> Any:
    """The answer as it is: who reads it as UTF-8 raises at the first edge that sends something else."""
    return client.execute_command(*command, NEVER_DECODE=True)  # type: ignore[no-untyped-call]


def _columns(name: str, beat: dict[str, str], now: datetime) -> dict[str, Any]:
    read = asdict(read_heartbeat(beat, now))
    losses = _losses(name, read["losses"])
    return {**read, "cuts": list(read["cuts"]), "loads": dict(read["loads"]), "losses": losses}


def _losses(name: str, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the edge tells now, and what it told before its Redis forgot it."""
    known = Edge.objects.filter(name=name[:LONGEST_NAME]).values_list("losses", flat=True).first() or []
    return list({_origin(loss): loss for loss in [*known, *told]}.values())[-MOST_LOSSES:]


def _origin(loss: dict[str, Any]) -> tuple[str, ...]:
    return tuple(loss[name] for name in ("run", "backend", "experiment", "variant"))


def _keep(name: str, columns: dict[str, Any], **if_new: Any) -> None:
    with transaction.atomic():
        Edge.objects.update_or_create(name=name[:LONGEST_NAME], defaults=columns, create_defaults={**if_new, **columns})


def _forget(client: redis.Redis, silent: set[bytes]) -> None:
    """Take out of the set of edges who neither reports nor is kept as silent."""
    kept = set(Edge.objects.values_list("name", flat=True))
    for name in silent:
        stream = redis_keys.requests("").encode() + name
        if _text(name)[:LONGEST_NAME] not in kept and not client.xlen(stream):
            client.srem(redis_keys.EDGES, name)


def _text(value: bytes) -> str:
    return value.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
