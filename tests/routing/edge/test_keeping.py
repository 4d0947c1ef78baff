"""Segments begin in time and are deleted when they are collected, with a real Envoy that follows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from routing import redis_keys
from routing.edge.envoy.configuration import write_configuration
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.shipping.keeper import Keeper
from routing.edge.state.spool import START, Spool
from routing.edge.state.status import EdgeStatus
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.routing.edge.edges import RunningEdge
from tests.routing.edge.stored import EDGE
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

MakeKeeper = Callable[..., Keeper]
HOUR = 3600


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, stable: ModelServer) -> Iterator[RunningEdge]:
    """Envoy alone, without its agent."""
    running = RunningEdge(tmp_path, valkey.url)
    backends = (make_backend("stable", stable.address),)
    write_configuration(running.directory, make_table(make_endpoint(), backends=backends))
    running.start_envoy()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def spool(edge: RunningEdge) -> Spool:
    return Spool(edge.directory.access_log)


@pytest.fixture
def status() -> EdgeStatus:
    return EdgeStatus()


@pytest.fixture
def make_keeper(edge: RunningEdge, spool: Spool, redis: Redis, status: EdgeStatus) -> MakeKeeper:
    admin = EnvoyAdmin("127.0.0.1", edge.port, edge.directory.admin)
    return lambda **limits: Keeper(RequestStream(redis, EDGE), spool, admin, status, **limits)


def ask(edge: RunningEdge, spool: Spool) -> None:
    """One request, and its line in the log."""
    before = spool.bytes_after(START)
    httpx.post(f"{edge.url}/chat", json={})
    wait_until(lambda: spool.bytes_after(START) > before)


def segments(edge: RunningEdge) -> int:
    return len(list(edge.directory.spool.glob("[0-9]*")))


def test_a_segment_that_is_neither_full_nor_old_stays(edge: RunningEdge, spool: Spool, make_keeper: MakeKeeper) -> None:
    ask(edge, spool)

    make_keeper(segment_seconds=HOUR).tidy()

    assert not spool.waits_for_envoy()
    assert segments(edge) == 1


@pytest.mark.parametrize("limits", [{"segment_bytes": 1}, {"segment_seconds": 0}])
def test_a_full_or_old_segment_is_followed_by_a_new_one(
    edge: RunningEdge, spool: Spool, make_keeper: MakeKeeper, limits: dict[str, int]
) -> None:
    ask(edge, spool)

    make_keeper(**limits).tidy()

    wait_until(lambda: not spool.waits_for_envoy())
    ask(edge, spool)
    assert segments(edge) == 2
    assert edge.directory.access_log.stat().st_size > 0


def test_an_empty_segment_is_kept_however_old(edge: RunningEdge, spool: Spool, make_keeper: MakeKeeper) -> None:
    make_keeper(segment_seconds=0).tidy()

    assert not spool.waits_for_envoy()


def test_envoy_away_opens_the_new_segment_at_its_start(
    edge: RunningEdge, spool: Spool, make_keeper: MakeKeeper
) -> None:
    ask(edge, spool)
    edge.kill_envoy()
    keeper = make_keeper(segment_bytes=1)
    keeper.tidy()
    keeper.tidy()
    assert spool.waits_for_envoy()

    edge.start_envoy()

    ask(edge, spool)
    assert segments(edge) == 2


def test_a_segment_is_told_and_kept_until_it_is_collected(
    edge: RunningEdge, spool: Spool, make_keeper: MakeKeeper, redis: Redis, status: EdgeStatus
) -> None:
    keeper = make_keeper(segment_bytes=1)
    ask(edge, spool)
    first = spool.newest()
    keeper.tidy()
    wait_until(lambda: not spool.waits_for_envoy())
    assert (status.spooled_bytes, segments(edge)) == (first.end, 2)

    redis.hset(redis_keys.COLLECTED, redis_keys.requests(EDGE), str(first))
    keeper.tidy()

    assert (status.spooled_bytes, segments(edge)) == (0, 1)


def test_a_stream_that_is_ahead_of_the_clock_is_followed_by_a_later_segment(
    edge: RunningEdge, spool: Spool, make_keeper: MakeKeeper, redis: Redis
) -> None:
    redis.xadd(redis_keys.requests(EDGE), {"rows": "[]"}, id="99999999999-5")

    make_keeper(segment_seconds=HOUR).tidy()
    make_keeper(segment_seconds=HOUR).tidy()

    ask(edge, spool)
    wait_until(lambda: not spool.waits_for_envoy())
    assert spool.newest().segment == 100_000_000_000
