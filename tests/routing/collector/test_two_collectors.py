"""Two collectors at once, which is a mistake, still store each row once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from redis import Redis

from routing import redis_keys
from routing.collector import caretaker
from routing.collector.caretaker import Caretaker
from routing.collector.collector import Collector
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS
from routing.lake.tidying import Retention
from tests.factories.rows import request_row, send, stored
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

STREAM = redis_keys.requests("local")


def test_both_read_the_same_and_one_commits(redis: Redis, lake_url: str) -> None:
    send(redis, "local", "100-10", [request_row("a")])
    collectors = [Collector(redis, lake_url, REQUESTS) for _ in range(2)]
    tables = [delta_tables.open_table(lake_url, REQUESTS) for _ in collectors]
    readings = [collector.read(table) for collector, table in zip(collectors, tables, strict=True)]
    collectors[0].commit(tables[0], readings[0])
    with pytest.raises(delta_tables.Superseded):
        collectors[1].commit(tables[1], readings[1])
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]


def test_one_that_read_less_is_refused_and_takes_nothing_back(redis: Redis, lake_url: str) -> None:
    late = Collector(redis, lake_url, REQUESTS)
    send(redis, "local", "100-10", [request_row("a")])
    late.step()
    late_table = delta_tables.open_table(lake_url, REQUESTS)
    send(redis, "local", "100-20", [request_row("b")])
    late_reading = late.read(late_table)
    send(redis, "local", "100-30", [request_row("c")])
    Collector(redis, lake_url, REQUESTS).step()
    with pytest.raises(delta_tables.Superseded):
        late.commit(late_table, late_reading)
    late.acknowledge(late_table)
    assert redis.hget(redis_keys.COLLECTED, STREAM) == b"100-30"
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "b", "c"]


def test_both_run_and_are_merged_after(redis: Redis, lake_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caretaker, "LOOK_SECONDS", 0.01)
    stop = Event()
    with ThreadPoolExecutor() as threads:
        runs = [threads.submit(Collector(redis, lake_url, REQUESTS).run, 0.001, stop) for _ in range(2)]
        runs += [threads.submit(Caretaker(redis, lake_url, {REQUESTS: Retention()}).run, stop) for _ in range(2)]
        for number in range(300):
            send(redis, f"edge-{number % 3}", f"100-{number + 1}", [request_row(f"{number:05}")])
        wait_until(lambda: all(redis.xlen(redis_keys.requests(f"edge-{edge}")) == 0 for edge in range(3)))
        stop.set()
    for run in runs:
        run.result()
    assert stored(lake_url, REQUESTS, "request_id") == [f"{number:05}" for number in range(300)]
