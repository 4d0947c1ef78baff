"""What cannot be stored is set aside where a person can see it, and never holds up the rest."""

from typing import cast

import pytest
from redis import Redis

from routing import redis_keys
from routing.collector.collector import Collector
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS
from routing.redis_keys import REJECTED
from tests.factories.rows import request_row, send, stored

pytestmark = pytest.mark.slow


def rejected(redis: Redis) -> list[dict[str, str]]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(REJECTED))
    return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]


def test_a_broken_batch_alone_is_passed_once(redis: Redis, lake_url: str) -> None:
    redis.sadd(redis_keys.EDGES, "local")
    redis.xadd(redis_keys.requests("local"), {"rows": "no JSON"}, id="100-10")
    collector = Collector(redis, lake_url, REQUESTS)
    for _ in range(3):
        collector.step()
    [entry] = rejected(redis)
    assert (entry["stream"], entry["id"], entry["content"]) == (redis_keys.requests("local"), "100-10", "no JSON")
    assert entry["reason"].startswith("batch: Invalid JSON")
    assert redis.hget(redis_keys.COLLECTED, redis_keys.requests("local")) == b"100-10"


def test_an_entry_without_rows_is_passed(redis: Redis, lake_url: str) -> None:
    redis.sadd(redis_keys.EDGES, "local")
    redis.xadd(redis_keys.requests("local"), {"other": "field"}, id="100-10")
    send(redis, "local", "100-20", [request_row("a")])
    Collector(redis, lake_url, REQUESTS).step()
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]
    assert len(rejected(redis)) == 1


def test_the_good_rows_of_a_batch_are_stored(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a"), request_row("b", status="ok"), request_row("c")])
    send(redis, "local", "100-20", [request_row("d")])
    Collector(redis, lake_url, REQUESTS).step()
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "c", "d"]
    assert [entry["reason"] for entry in rejected(redis)] == ["status: Input should be a valid integer"]


def test_what_does_not_fit_into_a_commit_is_not_set_aside_twice(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row(str(number)) for number in range(20_000)])
    send(redis, "local", "100-20", [request_row("a"), "broken"])
    collector = Collector(redis, lake_url, REQUESTS)
    assert collector.step() is True
    assert rejected(redis) == []
    assert collector.step() is False
    assert len(rejected(redis)) == 1


def test_the_oldest_make_room(redis: Redis, lake_url: str) -> None:
    redis.sadd(redis_keys.EDGES, "local")
    redis.xadd(redis_keys.requests("local"), {"rows": "[" + ",".join(map(str, range(10_500))) + "]"}, id="100-10")
    Collector(redis, lake_url, REQUESTS).step()
    kept = redis.xlen(REJECTED)
    assert 10_000 <= kept < 10_500
    assert rejected(redis)[-1]["content"] == "10499"
    assert delta_tables.open_table(lake_url, REQUESTS).version() == 1
