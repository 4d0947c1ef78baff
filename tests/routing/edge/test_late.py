"""An edge that hears of a table late: because the message was lost, or because it was not there yet."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from routing import keys
from routing.table import Table, to_json
from tests.routing.edge.edges import RunningEdge, end, publish, run_edge, wait_until
from tests.routing.envoys import served_version
from tests.routing.tables import make_endpoint, make_table
from tests.servers import RunningValkey, free_port

LOST_MESSAGES = 3
HEALED_SECONDS = 1.0


def table(version: int) -> Table:
    return make_table(make_endpoint(), version=version)


@pytest.fixture
def late_edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    """One that was prepared and never ran."""
    edge = RunningEdge(tmp_path, valkey.url)
    yield edge
    edge.stop()


@contextmanager
def envoy_process(edge: RunningEdge, redis_url: str) -> Iterator[None]:
    """Envoy as its process manager starts it."""
    command = [sys.executable, "-m", "routing.edge.envoy_process", str(edge.directory.path)]
    process = subprocess.Popen(command, env={**os.environ, "SLUICE_REDIS_URL": redis_url})
    try:
        yield
    finally:
        end(process)


def first_served(edge: RunningEdge) -> int | None:
    """The table that the very first answer comes from."""
    answers: list[int] = []

    def answered() -> bool:
        version = served_version(edge.url)
        answers.extend([] if version is None else [version])
        return bool(answers)

    wait_until(answered)
    return answers[0]


def test_a_lost_message_heals_within_a_second(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> None:
    with run_edge(tmp_path, valkey.url) as edge:
        publish(redis, table(1))
        edge.wait_for_table(1)
        for version in range(2, 2 + LOST_MESSAGES):
            redis.hset(keys.TABLE, mapping={"version": version, "content": to_json(table(version))})
            published = time.monotonic()
            edge.wait_for_table(version)

            assert time.monotonic() - published < HEALED_SECONDS


def test_an_edge_that_starts_late_takes_no_traffic_before_it_has_the_current_table(
    late_edge: RunningEdge, valkey: RunningValkey, redis: Redis
) -> None:
    publish(redis, table(7))

    with envoy_process(late_edge, valkey.url):
        assert first_served(late_edge) == 7


def test_the_agent_goes_on_from_there(late_edge: RunningEdge, valkey: RunningValkey, redis: Redis) -> None:
    publish(redis, table(7))
    with envoy_process(late_edge, valkey.url):
        assert first_served(late_edge) == 7
        late_edge.start_agent()
        publish(redis, table(8))

        late_edge.wait_for_table(8)


def test_a_table_that_cannot_be_served_here_leaves_the_one_on_disk(
    late_edge: RunningEdge, valkey: RunningValkey, redis: Redis
) -> None:
    # Envoy takes no time limit of more than 10 000 years.
    publish(redis, make_table(make_endpoint(timeout_seconds=10**12), version=7))

    with envoy_process(late_edge, valkey.url):
        assert first_served(late_edge) == 0


def test_without_redis_it_starts_with_what_is_on_disk(late_edge: RunningEdge) -> None:
    with envoy_process(late_edge, f"redis://127.0.0.1:{free_port()}/0"):
        assert first_served(late_edge) == 0
