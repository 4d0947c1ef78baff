"""When Redis or the lake is away, the collector waits, says so once, and goes on where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog.testing import capture_logs
from structlog.typing import EventDict

from routing import redis_keys
from routing.collector import collector as collector_module
from routing.collector.collector import Collector
from routing.lake.schema import REQUESTS
from tests.factories.rows import request_row, send, stored
from tests.servers.object_stores import run_object_store
from tests.servers.processes import free_port, run_valkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


class CountedCollector(Collector):
    """A collector that tells how often it tried."""

    attempts = 0

    def step(self) -> bool:
        self.attempts += 1
        return super().step()


@contextmanager
def collecting(redis: Redis, lake_url: str, collector: Collector | None = None) -> Iterator[list[EventDict]]:
    """Run a collector for the length of the block; gives its log."""
    stop = Event()
    thread = Thread(target=(collector or Collector(redis, lake_url, REQUESTS)).run, args=(0.02, stop))
    with capture_logs() as logs:
        thread.start()
        try:
            yield logs
        finally:
            stop.set()
            thread.join()


def said(logs: list[EventDict], event: str) -> int:
    return sum(record["event"] == event for record in logs)


def request_ids(lake_url: str) -> list[str]:
    return stored(lake_url, REQUESTS, "request_id") if Path(lake_url, "requests", "_delta_log").is_dir() else []


def test_redis_goes_away_and_comes_back(tmp_path: Path, lake_url: str) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as redis, collecting(redis, lake_url) as logs:
        wait_until(lambda: said(logs, "collecting waits"))
        with run_valkey(tmp_path, port) as server, Redis.from_url(url) as sender:
            send(sender, "local", "100-10", [request_row("a")])
            wait_until(lambda: request_ids(lake_url) == ["a"])
            server.process.kill()
            wait_until(lambda: said(logs, "collecting waits") == 2)
        with run_valkey(tmp_path, port), Redis.from_url(url) as sender:
            send(sender, "local", "100-20", [request_row("b")])
            wait_until(lambda: request_ids(lake_url) == ["a", "b"])
            wait_until(lambda: said(logs, "collecting goes on") == 2)
            assert said(logs, "collecting waits") == 2


def test_a_lake_that_cannot_be_made_yet(redis: Redis, lake_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector_module, "LONGEST_RETRY_SECONDS", 0.01)
    Path(lake_url).write_text("in the way")
    send(redis, "local", "100-10", [request_row("a")])
    collector = CountedCollector(redis, lake_url, REQUESTS)
    with collecting(redis, lake_url, collector) as logs:
        wait_until(lambda: collector.attempts > 3)
        Path(lake_url).unlink()
        wait_until(lambda: said(logs, "collecting goes on"))
    [recovery] = [record for record in logs if record["event"] == "collecting goes on"]
    assert recovery["attempts"] > 2
    assert said(logs, "collecting waits") == 1
    assert request_ids(lake_url) == ["a"]


def test_a_lake_that_goes_away(redis: Redis, lake_url: str) -> None:
    log = Path(lake_url, "requests", "_delta_log")
    away = log.with_name("away")
    with collecting(redis, lake_url) as logs:
        send(redis, "local", "100-10", [request_row("a")])
        wait_until(lambda: request_ids(lake_url) == ["a"])
        log.rename(away)
        log.write_text("in the way")
        send(redis, "local", "100-20", [request_row("b")])
        wait_until(lambda: said(logs, "collecting waits"))
        send(redis, "local", "100-30", [request_row("c")])
        log.unlink()
        away.rename(log)
        wait_until(lambda: request_ids(lake_url) == ["a", "b", "c"])
    assert said(logs, "collecting waits") == 1


def test_an_object_store_that_goes_away(redis: Redis) -> None:
    with run_object_store() as store, collecting(redis, store.lake_url) as logs:
        send(redis, "local", "100-10", [request_row("a")])
        wait_until(lambda: redis.exists(redis_keys.EDGE_ROWS))
        store.go_away()
        send(redis, "local", "100-20", [request_row("b")], after="100-10")
        wait_until(lambda: said(logs, "collecting waits"))
        send(redis, "local", "100-30", [request_row("c")], after="100-20")
        store.come_back()
        wait_until(lambda: stored(store.lake_url, REQUESTS, "request_id") == ["a", "b", "c"])
    assert said(logs, "collecting waits") == 1
