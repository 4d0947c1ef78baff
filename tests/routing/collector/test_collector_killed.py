"""The collector's process is killed again and again under load: each row is stored exactly once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from redis import Redis

from routing import redis_keys
from routing.intake.accept import accept
from routing.intake.outcomes import OutcomeEvent
from routing.lake import delta_tables
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.factories.rows import request_row, send, stored
from tests.servers.processes import RunningValkey, stopping
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

EDGES = ("near", "far")
COMMITS_OF_A_LIFE = (1, 2, 4, 8, 3, 5)


@contextmanager
def load(url: str) -> Iterator[list[str]]:
    """Send batches from two edges, and outcomes, until the block ends; gives the ids sent so far."""
    ids: list[str] = []
    stop = Event()
    thread = Thread(target=send_until, args=(url, ids, stop))
    thread.start()
    try:
        yield ids
    finally:
        stop.set()
        thread.join()


def send_until(url: str, ids: list[str], stop: Event) -> None:
    number = 0
    with Redis.from_url(url) as redis:
        while not stop.wait(0.005):
            number += 1
            for edge in EDGES:
                batch = [f"{edge}-{number}-{row}" for row in range(20)]
                send(redis, edge, f"100-{number}", [request_row(request_id, edge=edge) for request_id in batch])
                ids.extend(batch)
            accept(redis, [OutcomeEvent(id=ids[-1], name="click", unit="ada")], b"key")


def collector(url: str, lake_url: str, directory: Path) -> subprocess.Popen[bytes]:
    settings = {"REDIS_URL": url, "LAKE_URL": lake_url, "DATA_DIRECTORY": str(directory), "COLLECTOR_SECONDS": "0.01"}
    environment = os.environ | {f"SLUICE_{name}": value for name, value in settings.items()}
    with (directory / "collector.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "routing.collector"], env=environment, stderr=log)


def version(lake_url: str) -> int:
    table = delta_tables.find_table(lake_url, REQUESTS)
    return delta_tables.NO_VERSION if table is None else table.version()


def wait_for_commits(lake_url: str, commits: int) -> None:
    before = version(lake_url)
    wait_until(lambda: version(lake_url) >= before + commits)


@pytest.mark.slow
def test_killed_under_load(valkey: RunningValkey, redis: Redis, lake_url: str, tmp_path: Path) -> None:
    with load(valkey.url) as ids:
        for commits in COMMITS_OF_A_LIFE:
            process = collector(valkey.url, lake_url, tmp_path)
            wait_for_commits(lake_url, commits)
            process.kill()
            assert process.wait() == -signal.SIGKILL
    with stopping(collector(valkey.url, lake_url, tmp_path)) as process:
        streams = (redis_keys.OUTCOMES, *map(redis_keys.requests, EDGES))
        wait_until(lambda: all(redis.xlen(stream) == 0 for stream in streams))
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert stored(lake_url, REQUESTS, "request_id") == sorted(ids)
    assert len(stored(lake_url, OUTCOMES, "id")) == len(set(stored(lake_url, OUTCOMES, "id"))) == len(ids) // 40
    assert '"level": "error"' not in (tmp_path / "collector.log").read_text()
