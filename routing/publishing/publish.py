"""Bring the published routing table in line with the database."""

from collections.abc import Collection
from dataclasses import replace

import redis
import structlog
from django.db import IntegrityError, transaction

from controlplane.storage.redis_connections import get_redis, write_anyway
from routing import table
from routing.models import RoutingTable
from routing.publishing import redis_table, waiting_orders
from routing.publishing.compilation import compile_table
from routing.publishing.newest_table import latest_table
from routing.publishing.note_hindrances import note_hindrances
from routing.publishing.redis_table import TableTold
from routing.table import Brake, Table

log = structlog.get_logger(__name__)

NOTHING_TOLD = TableTold(0, "")


def publish(cause: str) -> RoutingTable:
    """Publish what the database asks for, if it is not published yet. Safe to call at any time, by anyone.

    What edges or their Envoys could not serve stays as it was, and is noted as a `Hindrance`. When Redis is away the
    table is kept, and the next call puts it there. Raises `DatabaseError`.
    """
    newest = _store(cause, *_told())
    try:
        _put(newest)
    except redis.RedisError as error:
        log.warning("table not put in Redis yet; the next tick tries again", version=newest.version, error=str(error))
    return newest


def _told() -> tuple[TableTold, list[Brake]]:
    """What edges would fetch now, and the brakes that the database does not know of yet."""
    try:
        client = get_redis()
        pulled = [order.brake() for order in waiting_orders.waiting(client)]
        return redis_table.current_table(client), [brake for brake in pulled if brake is not None]
    except redis.RedisError:
        return NOTHING_TOLD, []


def _store(cause: str, told: TableTold, brakes: Collection[Brake]) -> RoutingTable:
    told = _adopted(told)
    while True:
        newest = latest_table()
        version = max(newest.version if newest else 0, told.version)
        compiled = compile_table(newest, brakes)
        note_hindrances(compiled.hindrances)
        if newest and (newest.version, newest.digest) == (version, compiled.digest):
            return newest
        stored = _insert(replace(compiled.table, version=version + 1), compiled.digest, cause)
        if stored is not None:
            return stored


def _adopted(told: TableTold) -> TableTold:
    """Store what edges were told while the database could not be written. Returns what they were told of ours."""
    newest = latest_table()
    known = newest.version if newest else 0
    if told.version > known:
        try:
            content = told.read(known)
        except table.TableUnreadableError as error:
            log.error("table in Redis left aside", version=told.version, reason=error.detail)
        else:
            _insert(content, table.digest(content), "told to the edges while the database could not be written")
    return told if told.is_ours(known) else NOTHING_TOLD


def _insert(content: Table, digest: str, cause: str) -> RoutingTable | None:
    """None when somebody else stored that version first."""
    text = table.to_json(content)
    try:
        with transaction.atomic():
            return RoutingTable.objects.create(version=content.version, content=text, digest=digest, cause=cause)
    except IntegrityError:
        return None


def _put(newest: RoutingTable) -> None:
    client = get_redis()
    if redis_table.current_version(client) != newest.version:
        write_anyway(client, lambda: redis_table.put_table(client, newest.version, newest.content))
