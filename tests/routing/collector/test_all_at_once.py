"""Two collectors, two caretakers and an erasure at the same time: each row of everybody else is there once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from redis import Redis

from routing import redis_keys
from routing.collector import caretaker
from routing.collector.caretaker import Caretaker
from routing.collector.collector import Collector
from routing.lake.erasing import erase
from routing.lake.schema import REQUESTS
from routing.lake.tidying import Retention
from tests.factories.rows import request_row, send, stored
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ADA, BOB = 2**62 + 1, 2**62 + 3
BATCHES = 400


def test_nothing_is_lost_or_doubled(redis: Redis, lake_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caretaker, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(caretaker, "TIDY_SECONDS", 0.05)
    stop, retention = Event(), {REQUESTS: Retention(timedelta(seconds=2))}
    with ThreadPoolExecutor() as threads:
        runs = [threads.submit(Collector(redis, lake_url, REQUESTS).run, 0.01, stop) for _ in range(2)]
        runs += [threads.submit(Caretaker(redis, lake_url, retention).run, stop) for _ in range(2)]
        erasures = [threads.submit(erase, lake_url, ADA)]
        for number in range(1, BATCHES + 1):
            rows = [request_row(f"{name}-{number:03}", unit=unit) for name, unit in (("ada", ADA), ("bob", BOB))]
            send(redis, f"edge-{number % 3}", f"100-{number}", rows)
            if number % 100 == 0:
                erasures.append(threads.submit(erase, lake_url, ADA))
        wait_until(lambda: all(redis.xlen(redis_keys.requests(f"edge-{edge}")) == 0 for edge in range(3)))
        for erasure in erasures:
            erasure.result()
        stop.set()
    for run in runs:
        run.result()
    erase(lake_url, ADA)
    assert stored(lake_url, REQUESTS, "request_id") == [f"bob-{number:03}" for number in range(1, BATCHES + 1)]
    assert len(list(Path(lake_url).rglob("*.parquet"))) < BATCHES
