"""Reads of the kill switch: where it is on, and for how long it was."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.db.models import F, Q

from controlplane.storage.redis_connections import glance_at_redis
from routing.models import Endpoint, Span, Stop
from routing.publishing import waiting_orders
from routing.publishing.waiting_orders import Order, Verb


@dataclass(frozen=True, slots=True)
class OpenStops:
    """Where the kill switch is on: everywhere, and on single endpoints by their primary keys."""

    everywhere: Stop | None
    by_endpoint: Mapping[int, Stop]

    def of(self, endpoint_pk: int) -> Stop | None:
        """What keeps an endpoint's experiments from running, the stop of all of them first."""
        return self.everywhere or self.by_endpoint.get(endpoint_pk)


def open_stops() -> OpenStops:
    """Where the kill switch is on now, whether the database took that yet or edges alone were told of it.

    Where both are, the stop that the database has.
    """
    recorded = Stop.objects.filter(ended_at=None).select_related("endpoint").order_by("endpoint__key")
    stops = [*_waiting_stops(), *recorded]
    last = {stop.endpoint_id: stop for stop in stops}
    return OpenStops(last.get(None), {key: stop for key, stop in last.items() if key is not None})


def _waiting_stops() -> list[Stop]:
    """Stops as they will be recorded, the first order for each endpoint last, as it is the one that counts."""
    try:
        orders = [order for order in waiting_orders.waiting(glance_at_redis()) if order.verb == Verb.STOP]
    except redis.RedisError:
        return []
    endpoints = Endpoint.objects.in_bulk([order.subject for order in orders if order.subject], field_name="key")
    return [
        _as_recorded(order, endpoints.get(order.subject))
        for order in reversed(orders)
        if not order.subject or order.subject in endpoints
    ]


def _as_recorded(order: Order, endpoint: Endpoint | None) -> Stop:
    return Stop(endpoint=endpoint, since=order.at, by=order.actor, reason=order.reason)


def stops_since(endpoint_pk: int, since: datetime) -> list[Stop]:
    """What concerns an endpoint and was not over at a moment, those of all endpoints first; they may overlap."""
    concerning = Stop.objects.filter(Q(endpoint=endpoint_pk) | Q(endpoint=None)).exclude(ended_at__lte=since)
    return list(concerning.select_related("endpoint").order_by(F("endpoint").asc(nulls_first=True)))


def covered(spans: Iterable[Span], since: datetime, until: datetime) -> timedelta:
    """How much of a time lies in any of the spans; what lies in several counts once."""
    total, reached = timedelta(), since
    for start, end in sorted((start, min(end or until, until)) for start, end in spans):
        total += max(timedelta(), end - max(start, reached))
        reached = max(reached, end)
    return total
