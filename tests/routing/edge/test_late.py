"""An edge that hears of a table late: because the message was lost, or because it was not there yet."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from routing import redis_keys
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.state.kept_cuts import Cuts
from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier
from routing.edge.table.follower import POLL_SECONDS, Follower
from routing.table import Table, to_json
from tests.factories.tables import make_endpoint, make_table
from tests.routing.edge.edges import RunningEdge, end, publish, run_edge
from tests.servers.envoys import served_version
from tests.servers.processes import RunningValkey, free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

LOST_MESSAGES = 3

# How long Redis may take to answer who starts: a busy machine needs more than the second that a real one is given.
PATIENTLY = f"?socket_timeout={PATIENCE_SECONDS}&socket_connect_timeout={PATIENCE_SECONDS}"


def table(version: int) -> Table:
    return make_table(make_endpoint(), version=version)


def lose_message(redis: Redis, version: int) -> None:
    """Put a table where edges find it, without a word."""
    redis.hset(redis_keys.TABLE, mapping={"version": version, "content": to_json(table(version))})


@pytest.fixture
def late_edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    """One that was prepared and never ran."""
    edge = RunningEdge(tmp_path, valkey.url)
    yield edge
    edge.stop()


@contextmanager
def envoy_process(edge: RunningEdge, redis_url: str) -> Iterator[None]:
    """Envoy as its process manager starts it."""
    command = [sys.executable, "-m", "routing.edge.envoy.envoy_process", str(edge.directory.path)]
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


def test_a_lost_message_heals(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> None:
    with run_edge(tmp_path, valkey.url) as edge:
        publish(redis, table(1))
        edge.wait_for_table(1)
        for version in range(2, 2 + LOST_MESSAGES):
            lose_message(redis, version)
            edge.wait_for_table(version)


def test_a_lost_message_costs_one_look_which_comes_within_half_a_second(late_edge: RunningEdge, redis: Redis) -> None:
    late_edge.start_envoy()
    directory, envoy = late_edge.directory, EnvoyAdmin("127.0.0.1", late_edge.port, late_edge.directory.admin)
    follower = Follower(redis, envoy, Applier(directory, envoy, Cuts(directory.cuts)), EdgeStatus(), confirm=list)
    follower.step()
    lose_message(redis, 1)

    follower.step()

    late_edge.wait_for_table(1)
    assert POLL_SECONDS <= 0.5


def test_an_edge_that_starts_late_takes_no_traffic_before_it_has_the_current_table(
    late_edge: RunningEdge, valkey: RunningValkey, redis: Redis
) -> None:
    publish(redis, table(7))

    with envoy_process(late_edge, valkey.url + PATIENTLY):
        assert first_served(late_edge) == 7


def test_the_agent_goes_on_from_there(late_edge: RunningEdge, valkey: RunningValkey, redis: Redis) -> None:
    publish(redis, table(7))
    with envoy_process(late_edge, valkey.url + PATIENTLY):
        assert first_served(late_edge) == 7
        late_edge.start_agent()
        publish(redis, table(8))

        late_edge.wait_for_table(8)


def test_a_table_that_cannot_be_served_here_leaves_the_one_on_disk(
    late_edge: RunningEdge, valkey: RunningValkey, redis: Redis
) -> None:
    # Envoy takes no time limit of more than 10 000 years.
    publish(redis, make_table(make_endpoint(timeout_seconds=10**12), version=7))

    with envoy_process(late_edge, valkey.url + PATIENTLY):
        assert first_served(late_edge) == 0


def test_without_redis_it_starts_with_what_is_on_disk(late_edge: RunningEdge) -> None:
    with envoy_process(late_edge, f"redis://127.0.0.1:{free_port()}/0"):
        assert first_served(late_edge) == 0
