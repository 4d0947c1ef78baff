"""What is wrong now, with edges, with what is published, with brakes and workers, each with what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from controlplane.problems.problem import HasProblem, Problem
from controlplane.storage.redis_connections import glance_at_redis
from controlplane.storage.reserve import get_reserve
from routing.alerts.clocks import clocks_off
from routing.alerts.last_collection import uncollected_since
from routing.alerts.last_tick import silent_since, with_ticks
from routing.alerts.untidy import untidy_tables
from routing.edges.heartbeats import read_cuts
from routing.edges.lost_rows import lost_rows
from routing.edges.reported import SILENT_AFTER
from routing.guard import Cut
from routing.models import Edge, Hindrance, RoutingTable
from routing.places.clear_places import cleared_lately
from routing.publishing import redis_table, waiting_orders

BEHIND_AFTER = timedelta(seconds=5)
"""A table that an edge has not applied, or was not told of, for this long is late."""

LOST_LATELY = timedelta(minutes=10)
"""Rows that went missing longer ago are no alert any more; the page of edges keeps them."""

ON_EVERY_PAGE = frozenset(
    {
        "not-published",
        "edge-refuses",
        "edges-not-told",
        "brake-unrecorded",
        "disk-full",
        "place-cleared",
        "worker-silent",
        "clocks-differ",
        "collector-silent",
    }
)

SILENT_NEXT_STEP = "Check that its machine and its agent run, or retire it if it is gone for good."


@dataclass(frozen=True, slots=True)
class Alert(HasProblem):
    """A problem of now, the edge if it is about one, and since when."""

    problem: Problem
    edge: str
    since: datetime


def alerts(now: datetime) -> list[Alert]:
    """All that is wrong now, the oldest first."""
    newest = with_ticks(RoutingTable.objects.defer("content")).order_by("-version").first()
    edges = list(Edge.objects.all())
    found = [alert for edge in edges for alert in _readable(_of(edge, newest, now), f"edge {edge.name}", edge.name)]
    found += _readable(_hindrances(), "what is not published")
    found += _readable(_untold(newest, edges, now), "routing tables")
    found += [*_unrecorded(), *_cleared(now), *_disk(now), *_readable(_worker(newest, now), "ticks")]
    found += _readable(_collector(newest, edges, now), "what is collected")
    found += _readable(_caretaker(now), "the care of the lake")
    found += _readable(_clocks(), "clocks")
    return sorted(found, key=lambda alert: alert.since)


def _readable(found: Iterator[Alert], subject: str, edge: str = "") -> list[Alert]:
    """The alerts of one source; where its rows are broken in any way, an alert that says so and hides no other."""
    told: list[Alert] = []
    try:
        told += (alert for alert in found if _is_dated(alert))
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        detail = f"The database's record of {subject} cannot be read: {error or type(error).__name__}"
        code = "edge-unreadable" if edge else "unreadable"
        told.append(Alert(Problem.of(code, detail, "Correct it, or remove it."), edge, timezone.now()))
    return told


def _is_dated(alert: Alert) -> bool:
    """Raises `ValueError` for one whose time is none."""
    if not isinstance(alert.since, datetime):
        raise ValueError(f"{alert.since!r} is no time")
    return True


def banner(request: HttpRequest) -> dict[str, object]:
    """Template context: what everybody has to know, whatever page they are on; looked for where it is shown."""
    # What is refused before it is known who asks has no user.
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {}
    return {"banner": SimpleLazyObject(_banner)}


def _banner() -> list[Alert]:
    return [alert for alert in alerts(timezone.now()) if alert.code in ON_EVERY_PAGE]


def _of(edge: Edge, newest: RoutingTable | None, now: datetime) -> Iterator[Alert]:
    if edge.unread:
        detail = f"Edge {edge.name} reports what this release cannot read: {edge.unread}."
        yield Alert(
            Problem.of("edge-unreadable", detail, "Bring it and Sluice to the same release."), edge.name, edge.seen_at
        )
    if _is_silent(edge, now):
        detail = f"Edge {edge.name} was last heard from at {edge.seen_at:%Y-%m-%d %H:%M:%S} UTC."
        yield Alert(Problem.of("edge-silent", detail, SILENT_NEXT_STEP), edge.name, edge.seen_at)
        return
    if edge.error:
        yield Alert(
            Problem.of("edge-refuses", edge.error, "Fix what it names; the edge goes on as before."),
            edge.name,
            edge.seen_at,
        )
    elif newest and edge.applied_version < newest.version and now - newest.created_at > BEHIND_AFTER:
        detail = f"Edge {edge.name} serves table {edge.applied_version}; the newest is {newest.version}."
        yield Alert(Problem.of("edge-behind", detail, "Check that it reaches Redis."), edge.name, newest.created_at)
    lately = [lost for lost in lost_rows(edge) if now - lost.until < LOST_LATELY]
    if lately:
        detail = f"Edge {edge.name} could not record answers: {', '.join(map(str, lately))}."
        next_step = (
            "Check that its disk is not full and that nobody empties Redis; experiments' pages say what follows."
        )
        yield Alert(Problem.of("rows-lost", detail, next_step), edge.name, min(lost.since for lost in lately))
    for cut in read_cuts(edge.cuts):
        counts = f"{cut.failures} of its latest {cut.requests} requests failed"
        detail = f"Edge {edge.name} ejected {cut.experiment}/{cut.variant}: {counts}."
        since = _moment(cut) or edge.seen_at
        yield Alert(Problem.of("candidate-cut", detail, "Its page says what happened next."), edge.name, since)


def _moment(cut: Cut) -> datetime | None:
    try:
        moment = datetime.fromisoformat(cut.time)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_silent(edge: Edge, now: datetime) -> bool:
    return now - edge.seen_at > SILENT_AFTER


def _hindrances() -> Iterator[Alert]:
    for row in Hindrance.objects.all():
        detail = f"Not published: {row.subject} stays as it was, apart from what brakes took out. {row.detail}"
        yield Alert(Problem.of("not-published", detail, row.next_step), "", row.since)


def _untold(newest: RoutingTable | None, edges: list[Edge], now: datetime) -> Iterator[Alert]:
    """A table that waits for Redis. Where Redis does not answer here, an edge that was heard from tells more."""
    if newest is None or now - newest.created_at <= BEHIND_AFTER:
        return
    try:
        told = redis_table.current_version(glance_at_redis())
    except redis.RedisError:
        if edges and all(_is_silent(edge, now) for edge in edges):
            detail = f"Redis does not answer: edges may not know of routing table {newest.version}."
            yield Alert(
                Problem.of("edges-not-told", detail, "Bring Redis back; edges are told at once."), "", newest.created_at
            )
        return
    if told < newest.version:
        detail = f"Edges do not know of routing table {newest.version} yet: Redis has {told}."
        next_step = "Check that the worker runs, and that the disk of Redis is not full."
        yield Alert(Problem.of("edges-not-told", detail, next_step), "", newest.created_at)


def _unrecorded() -> Iterator[Alert]:
    try:
        waiting = waiting_orders.waiting(glance_at_redis())
    except redis.RedisError:
        return
    for order in waiting:
        what = f"{order.verb} of {order.subject or 'all endpoints'} by {order.actor}"
        detail = f"Edges were told, and the database does not know yet: {what}. {order.reason}".strip()
        next_step = "Free disk space, bring the database back, or correct what it holds of it; it is recorded then."
        yield Alert(Problem.of("brake-unrecorded", detail, next_step), "", order.at)


def _worker(newest: RoutingTable | None, now: datetime) -> Iterator[Alert]:
    since = silent_since(newest, now)
    if since is not None:
        detail = (
            f"No worker has gone through its tick since {since:%Y-%m-%d %H:%M:%S} UTC: no experiment is analysed, so "
            "that nothing halts by itself, and none advances. Halting by hand and the kill switch work."
        )
        next_step = "Check that the worker and beat run, and that Redis answers."
        yield Alert(Problem.of("worker-silent", detail, next_step), "", since)


def _clocks() -> Iterator[Alert]:
    try:
        off = list(clocks_off())
    except redis.RedisError:
        return
    for clock in off:
        way = "ahead of" if clock.ahead > timedelta() else "behind"
        seconds = abs(clock.ahead).total_seconds()
        detail = f"The clock of the {clock.process} on {clock.machine} is {seconds:.0f} s {way} that of Redis."
        next_step = (
            "Let both machines follow a time server: when stages end, and which requests and outcomes count already, "
            "is told by their clocks."
        )
        yield Alert(Problem.of("clocks-differ", detail, next_step), "", timezone.now())


def _collector(newest: RoutingTable | None, edges: list[Edge], now: datetime) -> Iterator[Alert]:
    since = uncollected_since(newest, [edge.name for edge in edges], now)
    if since is not None:
        detail = (
            f"Nothing has been collected since {since:%Y-%m-%d %H:%M:%S} UTC: requests and outcomes wait; experiments "
            "are judged without them: none halts by what they say. Halting by hand and the kill switch work."
        )
        next_step = "Check that the collector runs, and that it reaches Redis and the lake; it goes on by itself."
        yield Alert(Problem.of("collector-silent", detail, next_step), "", since)


def _caretaker(now: datetime) -> Iterator[Alert]:
    for table, failure in untidy_tables(now):
        detail = f"The table {table.name} of the lake cannot be kept in order: {failure.reason}"
        next_step = "Mend what it names: until then files grow, and rows past their time stay. All else goes on."
        yield Alert(Problem.of("caretaker-failing", detail, next_step), "", failure.since)


def _cleared(now: datetime) -> Iterator[Alert]:
    try:
        cleared = cleared_lately(glance_at_redis(), now)
    except redis.RedisError:
        return
    for one in cleared:
        detail = (
            f"Somebody wrote a {one.found} under {one.key} in Redis, where Sluice keeps a {one.kept}. It was removed "
            f"at {one.at:%Y-%m-%d %H:%M:%S} UTC; what had been kept there is lost."
        )
        next_step = "Find out who writes there, and give Sluice a database of its own. Sluice goes on by itself."
        yield Alert(Problem.of("place-cleared", detail, next_step), "", one.at)


def _disk(now: datetime) -> Iterator[Alert]:
    reserve = get_reserve()
    given = reserve.given_since()
    if given is not None or reserve.disk_is_full():
        detail = "The disk of the data folder is full: little or nothing is recorded. Halts and the kill switch work."
        yield Alert(Problem.of("disk-full", detail, "Free disk space; Sluice goes on by itself."), "", given or now)
