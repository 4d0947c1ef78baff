"""Pull a brake: taking users from a candidate, or a key from a client, works whatever else does not.

record it  ->  publish what the database asks for
|                 |
|                 +- fails: tell the edges, by the table that they have
+- fails: tell the edges so, and keep the order, which a tick records later
"""

from collections.abc import Callable
from dataclasses import replace

import redis
import structlog
from django.db import DatabaseError

from controlplane.problems.errors import RecordedLater, SluiceError, Unavailable
from controlplane.storage.database import impatient, with_reserve
from controlplane.storage.redis_connections import get_redis, write_anyway
from routing.publishing import redis_table, waiting_orders
from routing.publishing.compilation import NO_TABLE
from routing.publishing.confirmation import await_edges
from routing.publishing.newest_table import latest_table
from routing.publishing.publish import publish
from routing.publishing.redis_table import TableTold
from routing.publishing.waiting_orders import Order
from routing.table import Table, TableUnreadableError, apply_brakes, from_json, to_json

log = structlog.get_logger(__name__)


def pull(order: Order, record: Callable[[], object], cause: str) -> None:
    """Record a brake and publish the table without what it takes out.

    `record` does so in a transaction, and is called again when the first attempt had no room on the disk. Check before
    whether the actor may. Raises what `record` refuses; `RecordedLater` when edges were told and the database could
    not be, or holds what makes no sense; `Unavailable` when neither could. When Redis is away the table waits for it.
    """
    try:
        with_reserve(lambda: _without_waiting(record))
    except SluiceError:
        raise
    except Exception as error:
        log.exception("a brake cannot be recorded yet", verb=order.verb, subject=order.subject)
        raise _tell_now(order, error) from error
    try:
        publish(cause)
    except Exception as problem:
        log.exception("edges are told of a brake by the table that they have", verb=order.verb, subject=order.subject)
        _tell_or_say(order, problem)


def _tell_or_say(order: Order, problem: Exception) -> None:
    """Raises `Unavailable` when Redis takes no table either: who asked must not take the brake for pulled."""
    try:
        _tell(order, later=False)
    except redis.RedisError as error:
        raise Unavailable(
            "edges-not-told",
            f"It is recorded, but edges go on with an older table: neither the database ({problem}) nor "
            f"Redis ({error}) took a new one.",
            next_step="Free disk space, or bring Redis back: edges are told then, and nothing has to be sent again. "
            "Until then only stopping the candidate's backend helps.",
        ) from error


def _without_waiting(record: Callable[[], object]) -> None:
    with impatient():
        record()


def _tell_now(order: Order, reason: Exception) -> RecordedLater:
    """Raises `Unavailable` when that fails too."""
    mend = (
        "Free disk space, or bring the database back"
        if isinstance(reason, DatabaseError)
        else "Correct what the database holds of it"
    )
    try:
        _tell(order, later=True)
    except redis.RedisError as error:
        raise Unavailable(
            "brake-failed",
            f"Nothing has changed: neither the database ({reason}) nor Redis ({error}) could be written.",
            next_step="Bring one of them back and send it again, or stop the candidate's backend.",
        ) from error
    return RecordedLater(
        "recorded-later",
        f"It is done: {_who_applies_it(order)} The database could not be written: {reason}",
        next_step=f"{mend}; it is recorded then. Nothing has to be sent again.",
    )


def _who_applies_it(order: Order) -> str:
    if order.brake() is None:
        return "Sluice decides nothing about it any more, and its users keep what they have."
    confirmation = await_edges(recorded=False)
    if not confirmation.missing:
        return "edges apply it within a second."
    return f"edges were told. {confirmation.sentence}"


def _tell(order: Order, *, later: bool) -> None:
    """Put the newest table there is without what the order takes out, and keep the order if it is `later` recorded.

    Raises `redis.RedisError`.
    """
    client = get_redis()
    if order.brake() is None:
        write_anyway(client, lambda: waiting_orders.keep(client, order))
        return
    text = waiting_orders.to_text(order) if later else ""
    while not write_anyway(client, lambda: _put_without(client, order, text)):
        """Somebody else put a table meanwhile."""


def _put_without(client: redis.Redis, order: Order, text: str) -> bool:
    told = redis_table.current_table(client)
    stored = _stored()
    newest = _newest(told, stored)
    pulled = [*waiting_orders.waiting(client), order]
    braked = apply_brakes(newest, [brake for one in pulled if (brake := one.brake()) is not None])
    version = max(told.version if told.is_ours(stored.version) else 0, newest.version) + 1
    return redis_table.put_table(client, version, to_json(replace(braked, version=version)), order=text)


def _stored() -> Table:
    """The last good table of the database; one of version 0 where there is none, or none that can be read."""
    try:
        stored = latest_table()
        return from_json(stored.content) if stored else NO_TABLE
    except DatabaseError as error:
        log.warning("the database cannot be read", reason=str(error))
    except TableUnreadableError as error:
        log.warning("table left aside", reason=error.detail)
    return NO_TABLE


def _newest(told: TableTold, stored: Table) -> Table:
    """The last good table: that in Redis or that in the database.

    Raises `redis.DataError` where there was one and neither has it: to put an empty one would take all from clients.
    """
    try:
        return max(told.read(stored.version), stored, key=lambda table: table.version)
    except TableUnreadableError as error:
        log.warning("table left aside", reason=error.detail)
        if told.version and not stored.version:
            raise redis.DataError(error.detail) from error
    return stored
