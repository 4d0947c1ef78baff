"""Users do not notice that a table is exchanged, also when backends come and go with it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis import Redis

from routing.table import Table
from tests.routing.edge.edges import RunningEdge, publish, run_edge, wait_until
from tests.routing.edge.traffic import run_traffic
from tests.routing.model_servers import ModelServer
from tests.routing.tables import make_backend, make_endpoint, make_table
from tests.servers import RunningValkey


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    with run_edge(tmp_path, valkey.url) as running:
        yield running


def only(server: ModelServer, version: int, *others: ModelServer) -> Table:
    """Everybody gets this server; `others` are known and not used."""
    backends = tuple(make_backend(each.name, each.address) for each in (server, *others))
    return make_table(make_endpoint(backend=server.name), backends=backends, version=version)


def test_no_request_fails_while_backends_replace_each_other(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, only(stable, 1))
    edge.wait_for_table(1)
    with run_traffic(edge.url) as traffic:
        for version in range(2, 22):
            publish(redis, only((stable, candidate)[version % 2], version))
            edge.wait_for_table(version)

    assert traffic.unanswered == []
    assert traffic.statuses == {200}


def test_a_backend_that_moves_is_found_at_its_new_address(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    for version, server in enumerate((stable, candidate, stable), start=1):
        backends = (make_backend("moving", server.address),)
        publish(redis, make_table(make_endpoint(backend="moving"), backends=backends, version=version))
        edge.wait_for_table(version)

        assert httpx.post(f"{edge.url}/chat", json={}).json()["server"] == server.name


def test_a_stream_under_way_outlives_its_backends_place_in_the_table(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, only(stable, 1))
    edge.wait_for_table(1)
    asked = {"stream": True, "chunks": 10, "wait": 0.2}
    with httpx.stream("POST", f"{edge.url}/chat", json=asked) as response:
        chunks = response.iter_lines()
        first = next(chunks)
        publish(redis, only(candidate, 2))
        edge.wait_for_table(2)
        wait_until(lambda: "stable" not in edge.directory.clusters.read_text())
        time.sleep(0.5)
        text = "\n".join([first, *chunks])

    assert text.count("word") == 10
    assert "[DONE]" in text


def test_where_the_backends_stay_only_the_routes_are_replaced(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, only(stable, 1, candidate))
    wait_until(lambda: edge.agent_log().count("table applied") == 1)
    clusters, routes = edge.directory.clusters.stat().st_mtime_ns, edge.directory.routes.stat().st_mtime_ns

    publish(redis, replace(only(candidate, 2, stable), backends=only(stable, 1, candidate).backends))
    wait_until(lambda: edge.agent_log().count("table applied") == 2)

    assert httpx.post(f"{edge.url}/chat", json={}).json()["server"] == "candidate"
    assert edge.directory.clusters.stat().st_mtime_ns == clusters
    assert edge.directory.routes.stat().st_mtime_ns != routes
