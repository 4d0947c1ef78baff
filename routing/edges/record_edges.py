"""Keep what the edges last reported, also after they fall silent."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import redis
import structlog
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from routing import living_edges, redis_keys
from routing.edges.heartbeats import read_heartbeat
from routing.models import Edge

log = structlog.get_logger(__name__)

MOST_LOSSES = 1_000


def record_edges(client: redis.Redis, *, now: datetime | None = None) -> int:
    """Copy the heartbeats of living edges into the database; returns how many there are.

    What cannot be read of one is kept as its alert and stops no other. Edges that were retired are forgotten in Redis
    too, once the collector has all of their rows. Raises `redis.RedisError` when the server does not answer.
    """
    moment = now or timezone.now()
    names = living_edges.names(client)
    recorded = {name for name in sorted(names) if _record(client, name, moment)}
    _forget(client, names - recorded)
    return len(recorded)


def _record(client: redis.Redis, name: bytes, now: datetime) -> bool:
    """Whether the edge has a heartbeat, which was copied, or what is wrong with it."""
    known = living_edges.known_name(name)
    try:
        beat = living_edges.fields(client, name)
        if beat:
            _keep(known, _columns(known, beat, now))
    except (redis.ResponseError, DataError, IntegrityError, ValueError) as error:
        log.warning("heartbeat not read", edge=known, error=str(error))
        _keep(known, {"unread": f"the heartbeat as a whole: {type(error).__name__}"}, seen_at=now)
        return True
    return bool(beat)


def _columns(name: str, beat: dict[str, str], now: datetime) -> dict[str, Any]:
    read = asdict(read_heartbeat(beat, now))
    losses = _losses(name, read["losses"])
    return {**read, "cuts": list(read["cuts"]), "loads": dict(read["loads"]), "losses": losses}


def _losses(name: str, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the edge tells now, and what it told before its Redis forgot it."""
    known = Edge.objects.filter(name=name).values_list("losses", flat=True).first() or []
    return list({_origin(loss): loss for loss in [*known, *told]}.values())[-MOST_LOSSES:]


def _origin(loss: dict[str, Any]) -> tuple[str, ...]:
    return tuple(loss[name] for name in ("run", "backend", "experiment", "variant"))


def _keep(name: str, columns: dict[str, Any], **if_new: Any) -> None:
    with transaction.atomic():
        Edge.objects.update_or_create(name=name, defaults=columns, create_defaults={**if_new, **columns})


def _forget(client: redis.Redis, silent: set[bytes]) -> None:
    """Take out of the set of edges who neither reports nor is kept as silent."""
    kept = set(Edge.objects.values_list("name", flat=True))
    for name in silent:
        stream = redis_keys.requests("").encode() + name
        if living_edges.known_name(name) not in kept and not client.xlen(stream):
            client.srem(redis_keys.EDGES, name)
