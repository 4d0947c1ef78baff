"""Bring the published routing table in line with the database."""

import redis
import structlog
from django.db import IntegrityError, transaction

from controlplane.errors import InvalidInput
from controlplane.storage import get_redis
from routing import publisher, table
from routing.models import RoutingTable
from routing.queries import desired_table, latest_table
from routing.rehearsal import refusal

log = structlog.get_logger(__name__)


def publish(cause: str) -> RoutingTable:
    """Publish what the database asks for, if it is not published yet. Safe to call at any time, by anyone.

    Raises `InvalidInput` when an edge or its Envoy would refuse the table; then nothing is published. When Redis is
    away the table is kept, and the next call puts it there.
    """
    newest = _store(cause)
    try:
        _put(newest)
    except redis.RedisError as error:
        log.warning("table not put in Redis yet; the next tick tries again", version=newest.version, error=str(error))
    return newest


def check_publishable() -> None:
    """Raise `InvalidInput` when the database asks for a table that an edge would refuse."""
    _refuse_problems(desired_table(version=0))


def _store(cause: str) -> RoutingTable:
    while True:
        newest = latest_table()
        desired = desired_table(version=newest.version + 1 if newest else 1)
        if newest and newest.digest == table.digest(desired):
            return newest
        _refuse_problems(desired)
        try:
            with transaction.atomic():
                return RoutingTable.objects.create(
                    version=desired.version,
                    content=table.to_json(desired),
                    digest=table.digest(desired),
                    cause=cause,
                )
        except IntegrityError:
            continue


def _put(newest: RoutingTable) -> None:
    client = get_redis()
    if publisher.current_version(client) != newest.version:
        publisher.put_table(client, newest.version, newest.content)


def _refuse_problems(desired: table.Table) -> None:
    problems = table.problems(desired)
    if problems:
        first = problems[0]
        raise InvalidInput(first.code, first.detail, next_step=first.next_step)
    reason = refusal(desired)
    if reason:
        raise InvalidInput(
            "table-refused-by-envoy",
            f"Envoy would not take this table: {reason}",
            next_step="Change what it names; nothing was published.",
        )
