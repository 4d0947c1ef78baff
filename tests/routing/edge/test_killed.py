"""Whatever is killed while users are served: nothing is lost, nothing is counted twice, no request fails."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis

from routing import redis_keys
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.state.spool import START, Spool
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.routing.edge.edges import RunningEdge, publish, run_edge
from tests.routing.edge.stored import EDGE, collect_all, stored_ids
from tests.routing.edge.traffic import run_traffic
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey, run_valkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SHIPPING = '"what": "shipping requests"'
"""Told when the agent begins to wait for Redis, and when it goes on."""


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer) -> Iterator[RunningEdge]:
    with run_edge(tmp_path, valkey.url) as running:
        serve(redis, stable)
        running.wait_for_table(1)
        yield running


def serve(redis: Redis, server: ModelServer) -> None:
    publish(redis, make_table(make_endpoint(), backends=(make_backend("stable", server.address),)))


def assert_all_stored_once(
    edge: RunningEdge, redis: Redis, answered: dict[str, int], before: list[str] | None = None
) -> None:
    """Every answered request is in the stream (or was collected `before`), once, and nothing else is."""
    collected = before or []
    wait_until(lambda: len(collected) + len(stored_ids(redis)) >= len(answered))
    wait_until(lambda: Spool(edge.directory.access_log).bytes_after(RequestStream(redis, EDGE).last() or START) == 0)
    assert sorted(collected + stored_ids(redis)) == sorted(answered)


def wait_for_more(redis: Redis, rows: int = 1) -> None:
    """Return once so many more rows are stored than now."""
    before = len(stored_ids(redis))
    wait_until(lambda: len(stored_ids(redis)) >= before + rows)


def test_the_agent_killed_again_and_again(edge: RunningEdge, redis: Redis) -> None:
    with run_traffic(edge.url) as traffic:
        for rows in (1, 10, 100, 1, 10, 100):
            wait_for_more(redis, rows)
            edge.kill_agent()
            edge.start_agent()

    assert traffic.unanswered == []
    assert traffic.statuses == {200}
    assert_all_stored_once(edge, redis, traffic.answered)


def test_valkey_killed_and_started_again(tmp_path: Path, stable: ModelServer) -> None:
    with ExitStack() as stack:
        valkey = stack.enter_context(run_valkey(tmp_path / "valkey"))
        redis = stack.enter_context(Redis.from_url(valkey.url))
        edge = stack.enter_context(run_edge(tmp_path, valkey.url))
        serve(redis, stable)
        edge.wait_for_table(1)
        with run_traffic(edge.url) as traffic:
            wait_for_more(redis, 100)
            valkey.process.kill()
            valkey.process.wait()
            wait_until(lambda: edge.agent_log().count(SHIPPING) == 1)
            answered = len(traffic.answered)
            wait_until(lambda: len(traffic.answered) > answered + 100)
            stack.enter_context(run_valkey(tmp_path / "valkey", valkey.port))

        assert traffic.unanswered == []
        assert_all_stored_once(edge, redis, traffic.answered)
        assert edge.agent_log().count(SHIPPING) == 2


def test_redis_loses_everything_while_the_collector_is_at_work(edge: RunningEdge, redis: Redis) -> None:
    with run_traffic(edge.url) as traffic:
        wait_for_more(redis, 50)
        lake = collect_all(redis)
        place = redis.hget(redis_keys.COLLECTED, redis_keys.requests(EDGE)) or b""
        wait_for_more(redis, 50)
        with redis.pipeline(transaction=False) as lost_and_told:
            lost_and_told.flushall()
            lost_and_told.hset(redis_keys.COLLECTED, redis_keys.requests(EDGE), place)
            lost_and_told.execute()
        wait_for_more(redis, 50)

    assert traffic.statuses == {200}
    assert_all_stored_once(edge, redis, traffic.answered, before=lake)


def test_envoy_killed_fails_only_what_was_under_way(edge: RunningEdge, redis: Redis) -> None:
    with run_traffic(edge.url) as traffic:
        wait_until(lambda: len(traffic.answered) > 100)
        edge.kill_envoy()
        answered_before = dict(traffic.answered)
        edge.start_envoy()
        wait_until(lambda: len(traffic.answered) > len(answered_before) + 100)

    assert traffic.statuses == {200}
    wait_until(lambda: set(traffic.answered) - set(answered_before) <= set(stored_ids(redis)))
    stored = stored_ids(redis)
    assert len(stored) == len(set(stored))
    assert len(set(answered_before) - set(stored)) < len(answered_before)


def test_an_envoy_that_left_half_a_line_hides_no_later_request(edge: RunningEdge, redis: Redis) -> None:
    with run_traffic(edge.url) as traffic:
        wait_until(lambda: len(traffic.answered) > 20)
    wait_until(lambda: len(stored_ids(redis)) == len(traffic.answered))
    edge.kill_envoy()
    with edge.directory.access_log.open("ab") as file:
        file.write(b'{"duration_ms":3,"duration_us":3201,"facts":{"backend":"sta')
    edge.start_envoy()

    with run_traffic(edge.url) as later:
        wait_until(lambda: len(later.answered) > 20)

    assert_all_stored_once(edge, redis, traffic.answered | later.answered)


def test_segments_begun_and_deleted_under_traffic(edge: RunningEdge, redis: Redis) -> None:
    collected: list[str] = []
    spool = Spool(edge.directory.access_log)
    with run_traffic(edge.url) as traffic:
        for _ in range(4):
            segment = edge.directory.access_log.readlink()
            spool.begin_segment()
            wait_until(lambda: not spool.waits_for_envoy())
            while (edge.directory.spool / segment).exists():
                wait_until(lambda: len(stored_ids(redis)) > 20)
                collected += collect_all(redis)

    assert traffic.statuses == {200}
    assert_all_stored_once(edge, redis, traffic.answered, before=collected)
