"""Whatever somebody else writes in the place of something that Sluice keeps in Redis, Sluice goes on and says so."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from django.utils import timezone
from redis import Redis
from redis.exceptions import ResponseError

from controlplane.models import Role
from experiments.loop.jobs import clear_what_is_in_the_way
from routing import redis_keys
from routing.alerts.current import alerts
from routing.collector.collector import Collector
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.shipping.shipper import Shipper
from routing.edge.state.spool import Spool
from routing.intake.belonging import last_belonging
from routing.intake.fates import read_counts
from routing.lake.schema import REQUESTS
from routing.models import Edge, EventImport
from routing.places.all_places import all_places
from routing.places.clear_places import clear_places, cleared_lately
from routing.redis_keys import Kind
from tests.factories.log_lines import numbered_line
from tests.factories.rows import request_row, send, stored
from tests.routing.edge.stored import EDGE, stored_ids
from tests.visitors.roles import text, visitor
from tests.waiting import wait_until

KEPT = (redis_keys.CLEARED, redis_keys.EDGES)
REPOSITORY = Path(__file__).parents[3]


def put(client: Redis, key: str, kind: Kind) -> None:
    """A value of this kind that nobody can read."""
    match kind:
        case Kind.STRING:
            client.set(key, "garbage")
        case Kind.LEASE:
            client.set(key, "garbage", ex=60)
        case Kind.HASH:
            client.hset(key, "garbage", "garbage")
        case Kind.LIST:
            client.rpush(key, "garbage")
        case Kind.SET:
            client.sadd(key, "garbage")
        case Kind.STREAM:
            client.xadd(key, {"garbage": "garbage"})


def places(client: Redis) -> dict[str, Kind]:
    return dict(all_places(client, timezone.now()))


@pytest.fixture
def _known(db: None) -> None:
    Edge.objects.create(name="east", seen_at=timezone.now())
    EventImport.objects.create(key="a1", name="labels.csv", kind="csv", size=1)


@pytest.mark.parametrize("wrong", [Kind.STRING, Kind.SET, Kind.STREAM])
@pytest.mark.usefixtures("_known")
def test_what_is_of_another_kind_is_removed_and_told(redis_server: Redis, wrong: Kind) -> None:
    redis_server.sadd(redis_keys.EDGES, "west")
    found = {key: kind for key, kind in places(redis_server).items() if kind != wrong}
    assert {redis_keys.counts("east"), redis_keys.counts("west"), redis_keys.import_lease("a1")} <= found.keys()
    for key in found:
        redis_server.delete(key)
        put(redis_server, key, wrong)
    clear_what_is_in_the_way()
    # As an edge does each second.
    redis_server.sadd(redis_keys.EDGES, "west")
    clear_what_is_in_the_way()

    assert not [key for key in found if key not in KEPT and redis_server.exists(key)]
    told = {one.key: one.kept for one in cleared_lately(redis_server, timezone.now())}
    assert told.items() >= {(key, kind) for key, kind in found.items() if key != redis_keys.CLEARED}


@pytest.mark.usefixtures("_known")
def test_what_belongs_there_stays_whatever_it_holds(redis_server: Redis) -> None:
    found = places(redis_server)
    for key, kind in found.items():
        put(redis_server, key, kind)
    clear_what_is_in_the_way()

    assert redis_server.exists(*found) == len(found)
    assert cleared_lately(redis_server, timezone.now()) == []


@pytest.mark.django_db
def test_everybody_hears_of_it_for_an_hour(redis_server: Redis) -> None:
    redis_server.set(redis_keys.COLLECTED, "garbage")
    clear_what_is_in_the_way()

    [alert] = alerts(timezone.now())
    assert alert.code == "place-cleared"
    assert alert.detail.startswith(
        "Somebody wrote a string under sluice:collected in Redis, where Sluice keeps a hash."
    )
    assert alert.detail in text(visitor(Role.VIEWER), "/")
    assert alerts(timezone.now() + timedelta(hours=1)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "key",
    [
        redis_keys.EDGES,
        redis_keys.COLLECTED,
        redis_keys.COLLECTOR,
        redis_keys.EDGE_ROWS,
        redis_keys.REJECTED,
        redis_keys.requests("east"),
    ],
)
def test_a_collector_goes_on_by_itself(redis: Redis, lake_url: str, key: str) -> None:
    send(redis, "west", "100-10", [request_row("a"), "broken"])
    redis.sadd(redis_keys.EDGES, "east", "west")
    redis.delete(key)
    redis.set(key, "garbage")
    stop = Event()
    collecting = Thread(target=Collector(redis, lake_url, REQUESTS).run, args=(0.05, stop))
    collecting.start()
    try:
        wait_until(lambda: redis.type(key) != b"string")
        # As an edge does each second.
        redis.sadd(redis_keys.EDGES, "west")
        wait_until(lambda: redis.hget(redis_keys.COLLECTED, redis_keys.requests("west")) == b"100-10")
    finally:
        stop.set()
        collecting.join()
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [b"\xff", b"garbage"])
def test_names_and_positions_that_are_none_are_passed_over(redis: Redis, lake_url: str, name: bytes) -> None:
    send(redis, "west", "100-10", [request_row("a")])
    redis.sadd(redis_keys.EDGES, "west", name)
    redis.hset(redis_keys.COLLECTED, redis_keys.requests("").encode() + name, "garbage")
    redis.hset(redis_keys.COLLECTED, redis_keys.requests("west"), "garbage")

    Collector(redis, lake_url, REQUESTS).step()

    assert stored(lake_url, REQUESTS, "request_id") == ["a"]
    assert redis.hget(redis_keys.COLLECTED, redis_keys.requests("west")) == b"100-10"


def in_stream(client: Redis) -> None:
    client.set(redis_keys.requests(EDGE), "garbage")


def in_counts(client: Redis) -> None:
    client.set(redis_keys.counts(EDGE), "garbage")


def in_position(client: Redis) -> None:
    client.hset(redis_keys.COLLECTED, redis_keys.requests(EDGE), "garbage")


@pytest.mark.parametrize("garble", [in_stream, in_counts, in_position])
def test_an_edge_ships_all_rows_once(redis: Redis, tmp_path: Path, garble: Callable[[Redis], None]) -> None:
    link = tmp_path / "spool" / "open.jsonl"
    Spool(link).prepare()
    link.write_bytes(b"".join(numbered_line(number) for number in range(3)))
    garble(redis)
    shipper = Shipper(RequestStream(redis, EDGE), Spool(link), edge=EDGE, unit_key=b"k" * 32, collector_seconds=0)

    for _ in range(4):
        try:
            shipper.step()
        except ResponseError:
            clear_places(redis, redis_keys.kinds(edges=[EDGE]))

    assert stored_ids(redis) == ["request-0", "request-1", "request-2"]


def test_what_was_counted_and_cannot_be_read_is_unknown(redis_server: Redis) -> None:
    now = datetime.now(UTC)
    redis_server.set(redis_keys.BELONGING, "garbage")
    redis_server.hset(redis_keys.outcome_counts(now.date()), mapping={"on_time": "many", "late": 3, "odd": "?"})

    assert last_belonging(redis_server) is None
    [today] = read_counts(redis_server, 1, now)
    assert (today.counts["on_time"], today.counts["late"]) == (0, 3)  # type: ignore[index]


def test_one_module_names_all_that_is_kept_in_redis() -> None:
    named = re.compile('"sluice:[a-z]')
    modules = [path for app in ("controlplane", "experiments", "routing") for path in (REPOSITORY / app).rglob("*.py")]
    naming = {path.relative_to(REPOSITORY).as_posix() for path in modules if named.search(path.read_text())}
    # Attempts to log in and answers of writes are the control plane's own: each has a name of its own, and expires.
    own = {"controlplane/accounts/login_attempts.py", "controlplane/api/remembered_answers.py"}
    # That of a queue is made of its job's, and among the kinds.
    queues = "controlplane/settings/queues.py"
    assert naming == {"routing/redis_keys.py", "routing/lake/rewriting.py", queues, *own}
