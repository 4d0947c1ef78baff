"""What is wrong with the edges now, each with what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from routing.guard import Cut
from routing.heartbeats import read_cuts
from routing.models import Edge, RoutingTable
from routing.queries import SILENT_AFTER, latest_table

BEHIND_AFTER = timedelta(seconds=5)
"""An edge that has not applied a table for this long is behind."""

SILENT_NEXT_STEP = "Look whether its machine and its agent run, or retire it if it is gone for good."


@dataclass(frozen=True, slots=True)
class Alert:
    """A stable code, the edge, since when, a sentence, and what to do next."""

    code: str
    edge: str
    since: datetime
    detail: str
    next_step: str


def alerts(now: datetime) -> list[Alert]:
    """All that is wrong with edges now, the oldest first."""
    newest = latest_table()
    found = [alert for edge in Edge.objects.all() for alert in _of(edge, newest, now)]
    return sorted(found, key=lambda alert: alert.since)


def _of(edge: Edge, newest: RoutingTable | None, now: datetime) -> Iterator[Alert]:
    if edge.unread:
        detail = f"Edge {edge.name} reports what this release cannot read: {edge.unread}."
        yield Alert("edge-unreadable", edge.name, edge.seen_at, detail, "Bring it and Sluice to the same release.")
    if now - edge.seen_at > SILENT_AFTER:
        detail = f"Edge {edge.name} has not been heard of since {edge.seen_at:%Y-%m-%d %H:%M:%S} UTC."
        yield Alert("edge-silent", edge.name, edge.seen_at, detail, SILENT_NEXT_STEP)
        return
    if edge.error:
        yield Alert(
            "edge-refuses", edge.name, edge.seen_at, edge.error, "Mend what it names; the edge goes on as before."
        )
    elif newest and edge.applied_version < newest.version and now - newest.created_at > BEHIND_AFTER:
        detail = f"Edge {edge.name} serves table {edge.applied_version}; the newest is {newest.version}."
        yield Alert("edge-behind", edge.name, newest.created_at, detail, "Look whether it reaches Redis.")
    for cut in read_cuts(edge.cuts):
        counts = f"{cut.failures} of its latest {cut.requests} requests failed"
        detail = f"Edge {edge.name} took {cut.experiment}/{cut.variant} out: {counts}."
        since = _moment(cut) or edge.seen_at
        yield Alert("candidate-cut", edge.name, since, detail, "The experiment's page says what became of it.")


def _moment(cut: Cut) -> datetime | None:
    try:
        moment = datetime.fromisoformat(cut.time)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
