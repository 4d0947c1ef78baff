"""Reads of the kill switch: where it is on, and for how long it was."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from routing.models import Stop


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


def stopped_seconds(endpoint_pk: int, since: datetime, until: datetime) -> float:
    """For how much of a time the kill switch was on for an endpoint."""
    concerning = Stop.objects.filter(Q(endpoint=endpoint_pk) | Q(endpoint=None))
    stops = concerning.filter(since__lt=until).exclude(ended_at__lte=since)
    spans = [(max(stop.since, since), min(stop.ended_at or until, until)) for stop in stops.order_by("since")]
    return _covered_seconds(spans)


def _covered_seconds(spans: Iterable[tuple[datetime, datetime]]) -> float:
    """The length of spans that are in order of their starts; what lies in several counts once."""
    total, reached = 0.0, None
    for start, end in spans:
        begins = start if reached is None else max(start, reached)
        total += max(0.0, (end - begins).total_seconds())
        reached = end if reached is None else max(reached, end)
    return total
