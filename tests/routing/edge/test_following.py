"""An edge serves the current table, and the last one it had when nobody tells it more."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis import Redis

from routing import redis_keys
from routing.table import Table, to_json
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.routing.edge.edges import RunningEdge, heartbeat, publish, run_edge, wait_for_beat
from tests.servers.envoys import served_version
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def table_on(server: ModelServer, version: int) -> Table:
    """Everybody gets this server."""
    backend = make_backend(server.name, server.address)
    return make_table(make_endpoint("chat", backend=backend.key), backends=(backend,), version=version)


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    with run_edge(tmp_path, valkey.url) as running:
        yield running


def who_answers(edge: RunningEdge) -> str:
    answer: str = httpx.post(f"{edge.url}/chat", json={}).json()["server"]
    return answer


def test_an_edge_starts_without_a_table_and_without_redis(tmp_path: Path) -> None:
    with run_edge(tmp_path, f"redis://127.0.0.1:{free_port()}/0") as edge:
        wait_until(lambda: "waiting" in edge.agent_log())
        assert served_version(edge.url) == 0
        assert httpx.get(f"{edge.url}/chat").status_code == 404


def test_a_published_table_is_served_and_the_next_one_too(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, table_on(stable, 1))
    edge.wait_for_table(1)
    assert who_answers(edge) == "stable"

    publish(redis, table_on(candidate, 2))
    edge.wait_for_table(2)
    assert who_answers(edge) == "candidate"


def test_a_table_that_nobody_announced_is_found_too(edge: RunningEdge, redis: Redis, stable: ModelServer) -> None:
    redis.hset(redis_keys.TABLE, mapping={"version": 5, "content": to_json(table_on(stable, 5))})

    edge.wait_for_table(5)


def test_the_heartbeat_tells_what_is_served(edge: RunningEdge, redis: Redis, stable: ModelServer) -> None:
    publish(redis, table_on(stable, 3))

    beat = wait_for_beat(redis, applied_version="3")
    assert (beat["name"], beat["zone"], beat["healthy"], beat["error"]) == ("edge-1", "local", "1", "")
    assert beat["applied_at"] < beat["seen_at"]
    assert redis.smembers(redis_keys.EDGES) == {b"edge-1"}
    wait_until(lambda: 0 < redis.ttl(redis_keys.edge("edge-1")) <= 10)


def test_a_silent_envoy_is_told(edge: RunningEdge, redis: Redis) -> None:
    wait_for_beat(redis, healthy="1")

    edge.kill_envoy()

    assert wait_for_beat(redis, healthy="0")["error"] == f"Envoy does not answer on port {edge.port}."
    edge.start_envoy()
    wait_for_beat(redis, healthy="1")


def test_an_older_table_is_not_taken(edge: RunningEdge, redis: Redis, stable: ModelServer) -> None:
    publish(redis, table_on(stable, 9))
    edge.wait_for_table(9)
    redis.delete(redis_keys.TABLE)

    publish(redis, table_on(stable, 8))

    wait_until(lambda: "Redis offers table 8" in heartbeat(redis).get("error", ""))
    assert served_version(edge.url) == 9


def test_the_same_table_published_again_changes_nothing(edge: RunningEdge, redis: Redis, stable: ModelServer) -> None:
    publish(redis, table_on(stable, 4))
    edge.wait_for_table(4)
    redis.flushall()

    publish(redis, table_on(stable, 4))
    wait_for_beat(redis, applied_version="4", healthy="1")
    publish(redis, table_on(stable, 5))

    edge.wait_for_table(5)
    wait_until(lambda: '"version": 5' in edge.agent_log())
    assert edge.agent_log().count("table applied") == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no json", "This is not a routing table"),
        ('{"version":2,"backends":[],"endpoints":[{"key":"chat"}]}', "Field required"),
        ('{"version":999999999999999,"backends":[],"endpoints":[]}', "Table 999999999999999 is told as version 2"),
    ],
)
def test_what_is_no_table_is_refused_and_told(
    edge: RunningEdge, redis: Redis, stable: ModelServer, content: str, reason: str
) -> None:
    refuses(edge, redis, stable, 2, content, reason)


def test_a_version_that_is_too_large_is_refused_and_told(edge: RunningEdge, redis: Redis, stable: ModelServer) -> None:
    forged = '{"version":999999999999999,"backends":[],"endpoints":[]}'
    refuses(edge, redis, stable, 999_999_999_999_999, forged, "Version 999999999999999 is too large")


def refuses(edge: RunningEdge, redis: Redis, stable: ModelServer, version: int, content: str, reason: str) -> None:
    publish(redis, table_on(stable, 1))
    edge.wait_for_table(1)

    redis.hset(redis_keys.TABLE, mapping={"version": version, "content": content})

    wait_until(lambda: reason in heartbeat(redis).get("error", ""))
    assert who_answers(edge) == "stable"
    publish(redis, table_on(stable, 3))
    edge.wait_for_table(3)
    wait_for_beat(redis, error="")


def test_a_table_with_problems_is_refused(edge: RunningEdge, redis: Redis, stable: ModelServer) -> None:
    broken = replace(table_on(stable, 1), backends=())

    publish(redis, broken)

    wait_until(lambda: "names the backend stable" in heartbeat(redis).get("error", ""))
    assert served_version(edge.url) == 0


def test_a_table_that_only_envoy_refuses_leaves_the_one_before(
    edge: RunningEdge, redis: Redis, stable: ModelServer
) -> None:
    good = table_on(stable, 1)
    publish(redis, good)
    edge.wait_for_table(1)
    # Envoy takes no time limit of more than 10 000 years.
    publish(redis, replace(good, version=2, endpoints=(replace(good.endpoints[0], timeout_seconds=10**12),)))

    wait_until(lambda: "Envoy refuses table 2" in heartbeat(redis).get("error", ""))
    assert who_answers(edge) == "stable"
    edge.kill_envoy()
    edge.start_envoy()
    assert served_version(edge.url) == 1


def test_without_redis_the_last_table_is_served_also_after_a_restart(
    tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer
) -> None:
    with run_edge(tmp_path, valkey.url) as edge:
        publish(redis, table_on(stable, 6))
        edge.wait_for_table(6)
        wait_until(edge.directory.table.exists)
    edge.redis_url = f"redis://127.0.0.1:{free_port()}/0"
    edge.prepare()
    try:
        edge.start_envoy()
        edge.start_agent()
        assert served_version(edge.url) == 6
        assert who_answers(edge) == "stable"
    finally:
        edge.stop()


def test_a_table_on_disk_that_cannot_be_read_is_left_aside(tmp_path: Path, valkey: RunningValkey) -> None:
    with run_edge(tmp_path, valkey.url) as edge:
        edge.directory.table.write_text('{"version": 3')
    edge.prepare()

    edge.start_envoy()

    assert served_version(edge.url) == 0
    edge.stop()
