"""Users do not notice that a table is exchanged, also when backends come and go with it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis import Redis

from routing.table import Arm, Table
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import RunningEdge, publish, run_edge
from tests.routing.edge.traffic import run_traffic
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey
from tests.servers.raw_clients import asked, read_until
from tests.servers.stepped_backends import END, STREAMED, piece, run_stepped_backend
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    with run_edge(tmp_path, valkey.url) as running:
        yield running


def only(server: ModelServer, version: int, *others: ModelServer) -> Table:
    """Everybody gets this server; `others` are kept warm."""
    backends = tuple(make_backend(each.name, each.address) for each in (server, *others))
    endpoint = replace(make_endpoint(backend=server.name), warm=tuple(each.name for each in others))
    return make_table(endpoint, backends=backends, version=version)


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


def known_clusters(edge: RunningEdge) -> set[str]:
    """The clusters that Envoy knows now."""
    told = json.loads(edge.admin("/clusters?format=json"))
    return {cluster["name"] for cluster in told["cluster_statuses"]}


def test_a_stream_under_way_outlives_its_backends_place_in_the_table(
    edge: RunningEdge, redis: Redis, candidate: ModelServer
) -> None:
    with run_stepped_backend() as leaving:
        backends = (make_backend("leaving", leaving.address),)
        publish(redis, make_table(make_endpoint(backend="leaving"), backends=backends))
        edge.wait_for_table(1)
        with asked(edge.port) as client, leaving.next_request() as stream:
            stream.sendall(STREAMED + piece(0))
            read_until(client, b"token 0.")
            publish(redis, only(candidate, 2))
            edge.wait_for_table(2)
            wait_until(lambda: "leaving" not in known_clusters(edge))
            for number in range(1, 10):
                stream.sendall(piece(number))
                read_until(client, b"token %d." % number)
            stream.sendall(END)

            read_until(client, END)


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


def test_only_who_can_be_reached_or_is_kept_warm_is_asked_for_its_health(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    known = only(stable, 1, candidate).backends
    before = candidate.health_checks
    publish(redis, replace(only(stable, 1), backends=known))
    edge.wait_for_table(1)
    asked = stable.health_checks
    wait_until(lambda: stable.health_checks >= asked + 3)
    assert candidate.health_checks == before

    publish(redis, only(stable, 2, candidate))
    edge.wait_for_table(2)
    wait_until(lambda: candidate.health_checks >= before + 2)

    publish(redis, replace(only(stable, 3), backends=known))
    edge.wait_for_table(3)
    wait_until(lambda: "candidate" not in edge.directory.clusters.read_text())
    wait_until(lambda: _is_left_alone(edge, "candidate"))
    before, asked = candidate.health_checks, stable.health_checks
    wait_until(lambda: stable.health_checks >= asked + 3)
    assert candidate.health_checks == before


def test_what_only_takes_users_away_waits_for_no_other_backend(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    """A halt comes to users by routes alone; the candidate's cluster goes afterwards, and is written once."""
    split = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
    backends = only(stable, 1, candidate).backends
    publish(redis, make_table(make_endpoint("chat", split), backends=backends, version=1))
    edge.wait_for_table(1)
    wait_until(lambda: edge.agent_log().count("table applied") == 1)
    directory = edge.directory
    publish(redis, make_table(make_endpoint(), backends=backends, version=2))
    wait_until(lambda: edge.agent_log().count("table applied") == 2)

    assert directory.routes.stat().st_mtime_ns < directory.clusters.stat().st_mtime_ns
    assert "candidate" not in directory.clusters.read_text()
    assert {httpx.post(f"{edge.url}/chat", json={}).json()["server"] for _ in range(20)} == {"stable"}


def _is_left_alone(edge: RunningEdge, backend: str) -> bool:
    found = edge.admin("/clusters")
    return f"{backend}::" not in found
