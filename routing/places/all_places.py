"""All places in Redis that Sluice reads now."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from redis import Redis

from routing import living_edges, redis_keys
from routing.intake.fates import KEPT
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.models import Edge, EventImport
from routing.redis_keys import Kind

DAY = timedelta(days=1)


def all_places(redis: Redis, now: datetime) -> Iterator[tuple[str, Kind]]:
    """With those of edges that are recorded or report, of the days whose counts are kept, and of unfinished imports.

    Raises `redis.RedisError` where the set of edges is none.
    """
    imports = EventImport.objects.exclude(state__in=(EventImport.State.DONE, EventImport.State.FAILED))
    return redis_keys.kinds(
        edges={*Edge.objects.values_list("name", flat=True), *map(living_edges.known_name, living_edges.names(redis))},
        tables=(REQUESTS.name, OUTCOMES.name),
        days=((now + DAY - back * DAY).date() for back in range(KEPT.days + 2)),
        imports=(str(key) for key in imports.values_list("key", flat=True)),
    )
