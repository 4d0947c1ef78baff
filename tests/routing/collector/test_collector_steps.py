"""A collector that ends between any two of its steps leaves nothing lost and nothing doubled."""

import pytest
from redis import Redis

from routing import redis_keys
from routing.collector import collector as collector_module
from routing.collector.collector import Collector
from routing.intake.accept import accept
from routing.intake.outcomes import OutcomeEvent
from routing.lake import delta_tables
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.streams import to_entry_id, to_position
from tests.factories.rows import request_row, send, stored

pytestmark = pytest.mark.slow

STREAM = redis_keys.requests("local")


def collected(redis: Redis, stream: str = STREAM) -> str | None:
    told = redis.hget(redis_keys.COLLECTED, stream)
    return told.decode() if isinstance(told, bytes) else None


def step(redis: Redis, lake_url: str) -> bool:
    """One step of a collector that has just started."""
    return Collector(redis, lake_url, REQUESTS).step()


def test_a_step_stores_tells_and_trims(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a"), request_row("b")])
    send(redis, "local", "100-20", [request_row("c")])
    assert step(redis, lake_url) is False
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "b", "c"]
    assert collected(redis) == "100-20"
    assert redis.xlen(STREAM) == 0
    assert redis.xinfo_stream(STREAM)["last-generated-id"] == b"100-20"


def test_nothing_waiting_makes_no_commit(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    for _ in range(3):
        step(redis, lake_url)
    assert delta_tables.open_table(lake_url, REQUESTS).version() == 1


def test_ended_after_reading(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    ended = Collector(redis, lake_url, REQUESTS)
    ended.read(delta_tables.open_table(lake_url, REQUESTS))
    assert redis.xlen(STREAM) == 1
    step(redis, lake_url)
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]


def test_ended_after_the_commit(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    ended = Collector(redis, lake_url, REQUESTS)
    delta = delta_tables.open_table(lake_url, REQUESTS)
    ended.commit(delta, ended.read(delta))
    assert (collected(redis), redis.xlen(STREAM)) == (None, 1)
    send(redis, "local", "100-20", [request_row("b")])
    step(redis, lake_url)
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "b"]
    assert (collected(redis), redis.xlen(STREAM)) == ("100-20", 0)


def test_ended_after_the_commit_with_nothing_new_since(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    ended = Collector(redis, lake_url, REQUESTS)
    delta = delta_tables.open_table(lake_url, REQUESTS)
    ended.commit(delta, ended.read(delta))
    step(redis, lake_url)
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]
    assert (collected(redis), redis.xlen(STREAM)) == ("100-10", 0)


def test_ended_after_telling_but_before_trimming(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    step(redis, lake_url)
    redis.delete(STREAM)
    send(redis, "local", "100-10", [request_row("a")])
    send(redis, "local", "100-20", [request_row("b")])
    step(redis, lake_url)
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "b"]
    assert redis.xlen(STREAM) == 0


def test_a_redis_that_lost_everything_is_told_again(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    collector = Collector(redis, lake_url, REQUESTS)
    collector.step()
    redis.flushall()
    send(redis, "local", "100-10", [request_row("a")])
    collector.step()
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]
    assert (collected(redis), redis.xlen(STREAM)) == ("100-10", 0)


def test_new_edges_are_found_while_running(redis: Redis, lake_url: str) -> None:
    collector = Collector(redis, lake_url, REQUESTS)
    for number, edge in enumerate(("here", "there")):
        send(redis, edge, "100-10", [request_row(str(number), edge=edge)])
        collector.step()
    assert stored(lake_url, REQUESTS, "edge") == ["here", "there"]
    assert collected(redis, redis_keys.requests("there")) == "100-10"


def test_an_edge_that_left_is_still_collected(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    step(redis, lake_url)
    send(redis, "local", "100-20", [request_row("b")])
    redis.srem(redis_keys.EDGES, "local")
    step(redis, lake_url)
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "b"]


def test_a_commit_is_bounded_and_says_that_more_waits(redis: Redis, lake_url: str) -> None:
    for number in range(50):
        rows = [request_row(f"{number}-{row}") for row in range(1000)]
        send(redis, "near" if number % 2 else "far", f"100-{number + 1}", rows)
    collector = Collector(redis, lake_url, REQUESTS)
    assert collector.step() is True
    assert len(stored(lake_url, REQUESTS, "request_id")) == collector_module.COMMIT_ROWS
    assert collector.step() is True
    assert collector.step() is False
    assert len(set(stored(lake_url, REQUESTS, "request_id"))) == 50_000


def test_a_batch_larger_than_a_commit_is_taken_alone(redis: Redis, lake_url: str) -> None:
    many = [request_row(str(number)) for number in range(collector_module.COMMIT_ROWS + 1)]
    send(redis, "local", "100-10", many)
    send(redis, "local", "100-20", [request_row("last")])
    assert step(redis, lake_url) is True
    assert step(redis, lake_url) is False
    assert len(stored(lake_url, REQUESTS, "request_id")) == len(many) + 1


def test_outcomes_are_collected_from_their_stream(redis: Redis, lake_url: str) -> None:
    accept(
        redis, [OutcomeEvent(id="a", name="click", unit="ada"), OutcomeEvent(id="b", name="click", unit="bob")], b"k"
    )
    Collector(redis, lake_url, OUTCOMES).step()
    assert stored(lake_url, OUTCOMES, "id") == ["a", "b"]
    assert redis.xlen(redis_keys.OUTCOMES) == 0
    assert collected(redis, STREAM) is None


def test_positions_order_as_entry_ids_do() -> None:
    ids = ["1-1", "1-4294967295", "2-0", "1795460356-7"]
    positions = [to_position(REQUESTS, entry_id) for entry_id in ids]
    assert positions == sorted(positions)
    assert [to_entry_id(REQUESTS, position) for position in positions] == ids
    assert to_entry_id(OUTCOMES, to_position(OUTCOMES, "1795460356978-3")) == "1795460356978-3"
    assert to_position(OUTCOMES, "4000000000000-1048575") < 2**63


@pytest.mark.parametrize(
    ("stream", "told"), [("sluice:requests:old", "abc"), (b"sluice:requests:\xff", b"\xff"), (STREAM, "")]
)
def test_what_is_no_position_stops_no_row(redis: Redis, lake_url: str, stream: str | bytes, told: str | bytes) -> None:
    redis.hset(redis_keys.COLLECTED, stream, told)
    send(redis, "local", "100-10", [request_row("a")])
    step(redis, lake_url)
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]
    assert collected(redis) == "100-10"
