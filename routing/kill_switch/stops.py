"""Reads of the kill switch: where it is on, and for how long it was."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from routing.models import Span, Stop


@dataclass(frozen=True, slots=True)
class OpenStops:
    """Where the kill switch is on: everywhere, and on single endpoints by their primary keys."""

    everywhere: Stop | None
    by_endpoint: Mapping[int, Stop]

    def of(self, endpoint_pk: int) -> Stop | None:
        """What keeps an endpoint's experiments from running, the stop of all of them first."""
        return self.everywhere or self.by_endpoint.get(endpoint_pk)


def open_stops() -> OpenStops:
    """Where the kill switch is on now."""
    stops = list(Stop.objects.filter(ended_at=None).select_related("endpoint").order_by("endpoint__key"))
    everywhere = next((stop for stop in stops if stop.endpoint_id is None), None)
    return OpenStops(everywhere, {stop.endpoint_id: stop for stop in stops if stop.endpoint_id is not None})


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
