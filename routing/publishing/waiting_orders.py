"""Brakes that edges were told of and the database was not: kept in Redis until it takes them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import redis
import structlog
from pydantic import TypeAdapter, ValidationError

from controlplane.audit.actors import Actor
from controlplane.models import Role
from controlplane.problems.request_ids import current_request_id
from controlplane.problems.used_token import current_token
from routing import redis_keys
from routing.table import Brake, BrakeKind

log = structlog.get_logger(__name__)


Answer = TypeVar("Answer")


class Verb(StrEnum):
    """What was done; the values are those of the audit trail."""

    STOP = "stop-experiments"
    HALT = "halt"
    CONCLUDE = "inconclusive"
    PAUSE = "pause"
    REVOKE = "revoke"


KINDS = {
    Verb.STOP: BrakeKind.EXPERIMENTS,
    Verb.HALT: BrakeKind.EXPERIMENT,
    Verb.CONCLUDE: BrakeKind.EXPERIMENT,
    Verb.REVOKE: BrakeKind.KEY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A brake that was pulled: on what, by whom, why and when.

    `subject` is the key of an experiment or of an endpoint, empty for all endpoints, or the digest of an access key.
    `code` and `variant` are those of an experiment's decision.
    """

    verb: Verb
    subject: str
    actor: str
    role: Role
    reason: str
    code: str = ""
    variant: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    request_id: str = field(default_factory=current_request_id)
    token: str = field(default_factory=current_token)

    def by(self) -> Actor:
        """Who pulled it."""
        return Actor(self.actor, self.role)

    def brake(self) -> Brake | None:
        """What it takes out of the table; a pause takes nothing out."""
        kind = KINDS.get(self.verb)
        return None if kind is None else Brake(kind, self.subject)

    def concerns(self, experiment: str) -> bool:
        """Whether it was pulled on this experiment."""
        return self.verb in (Verb.HALT, Verb.CONCLUDE, Verb.PAUSE) and self.subject == experiment

    def stops(self, endpoint: str) -> bool:
        """Whether it is the kill switch, pulled on this endpoint or on all."""
        return self.verb == Verb.STOP and self.subject in ("", endpoint)


_ORDER = TypeAdapter(Order)


def to_text(order: Order) -> str:
    """An order as it is kept: equal orders give equal texts."""
    return _ORDER.dump_json(order).decode()


def waiting(client: redis.Redis) -> list[Order]:
    """Orders that are not recorded yet, in the order in which they were given. Raises `redis.RedisError`."""
    texts = _whatever_lies_there(client, lambda: client.lrange(redis_keys.ORDERS, 0, -1))
    return list(_orders(map(str, texts)))


def keep(client: redis.Redis, order: Order) -> None:
    """Have an order recorded later. Raises `redis.RedisError`."""
    _whatever_lies_there(client, lambda: client.rpush(redis_keys.ORDERS, to_text(order)))


def forget(client: redis.Redis, order: Order) -> None:
    """An order is recorded, or came too late. Raises `redis.RedisError`."""
    client.lrem(redis_keys.ORDERS, 1, to_text(order))


def _whatever_lies_there(client: redis.Redis, ask: Callable[[], Answer]) -> Answer:
    """What is no list holds no order, and must be in the way of none: it is removed."""
    try:
        return ask()
    except redis.ResponseError as error:
        if not str(error).startswith(redis_keys.WRONG_TYPE):
            raise
        log.error("what lay in the place of orders is removed", reason=str(error))
        client.delete(redis_keys.ORDERS)
        return ask()


def _orders(texts: Iterable[str]) -> Iterator[Order]:
    for text in texts:
        try:
            yield _ORDER.validate_json(text)
        except ValidationError as error:
            log.error("an order cannot be read", text=text, reason=str(error))
