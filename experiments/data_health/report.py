"""All that the page and the API say of the data, from what was told and counted before."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum
from redis import Redis

from experiments.data_health.problems import find_problems
from experiments.data_health.shares import last_shares
from experiments.data_health.types import Backlog, EdgeHealth, HealthReport, TableSize, TidyState
from experiments.models import StoredSize
from routing import redis_keys
from routing.edges.lost_rows import lost_rows
from routing.lake.care import last_care, last_failure
from routing.lake.edge_rows import edge_rows, gaps
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.models import Edge, EventImport

GROWTH_OVER = timedelta(days=1)
UNFINISHED = (EventImport.State.RECEIVING, EventImport.State.WAITING, EventImport.State.RUNNING)


def read_report(redis: Redis, now: datetime) -> HealthReport:
    """The whole report. Raises `redis.RedisError`."""
    report = HealthReport(
        at=now,
        edges=tuple(_edges(redis)),
        shares=last_shares(redis),
        sizes=tuple(table_sizes()),
        tidied=tuple(_tidied(redis)),
        backlog=_backlog(redis),
    )
    return report.with_problems(tuple(find_problems(report)))


def _edges(redis: Redis) -> Iterable[EdgeHealth]:
    rows, missing = edge_rows(redis), gaps(redis)
    for edge in Edge.objects.order_by("name"):
        newest = rows.get(edge.name)
        yield EdgeHealth(
            name=edge.name,
            heard_at=edge.seen_at,
            newest=newest.newest if newest else None,
            lag=newest.collected_at - newest.newest if newest else None,
            waiting=_length(redis, redis_keys.requests(edge.name)),
            gaps=missing.get(edge.name),
            lost=tuple(lost_rows(edge)),
        )


def table_sizes() -> Iterable[TableSize]:
    """The newest size of each table, and what it grew by in a day, over the last day that is known."""
    for subject in StoredSize.objects.order_by("subject").values_list("subject", flat=True).distinct():
        known = StoredSize.objects.filter(subject=subject)
        newest = known.latest("at")
        before = known.filter(at__lte=newest.at - GROWTH_OVER).order_by("-at").first() or known.earliest("at")
        span = (newest.at - before.at) / GROWTH_OVER
        a_day = round((newest.bytes - before.bytes) / span) if span else None
        yield TableSize(subject, newest.at, newest.rows, newest.bytes, newest.files, a_day)


def _tidied(redis: Redis) -> Iterable[TidyState]:
    for table in (REQUESTS, OUTCOMES):
        care = last_care(redis, table)
        yield TidyState(table.name, care.at if care else None, last_failure(redis, table))


def _backlog(redis: Redis) -> Backlog:
    imports = EventImport.objects.filter(state__in=UNFINISHED)
    found = imports.aggregate(count=Count("pk"), bytes=Sum("size"), since=Min("changed_at"))
    streams = [redis_keys.requests(name) for name in Edge.objects.values_list("name", flat=True)]
    return Backlog(
        requests=sum(_length(redis, stream) for stream in streams),
        outcomes=_length(redis, redis_keys.OUTCOMES),
        imports=found["count"],
        import_bytes=found["bytes"] or 0,
        import_since=found["since"],
    )


def _length(redis: Redis, stream: str) -> int:
    return int(redis.xlen(stream))
