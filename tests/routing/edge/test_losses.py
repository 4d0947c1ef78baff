"""Rows that Envoy could not write are known by backend and arm, exactly, and nothing else is ever called lost."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from redis import Redis

from routing.access_log.counts import Origin
from routing.access_log.losses import Losses
from routing.allocation.assign import assign
from routing.table import Arm, Table
from tests.disks import fill, small_disk
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import RunningEdge, heartbeat, publish, run_edge, wait_for_comparison
from tests.routing.edge.stored import stored_rows
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SPLIT = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
ENDPOINT = make_endpoint("chat", SPLIT)
ARMS = ("control", "new")
UNITS = {arm: next(unit for unit in map(str, range(400)) if assign(ENDPOINT, unit).variant == arm) for arm in ARMS}


def table(stable: ModelServer, candidate: ModelServer) -> Table:
    backends = (make_backend("stable", stable.address), make_backend("candidate", candidate.address))
    return make_table(ENDPOINT, backends=backends, version=1)


@pytest.fixture
def edge(
    tmp_path: Path,
    valkey: RunningValkey,
    redis: Redis,
    stable: ModelServer,
    candidate: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RunningEdge]:
    """One without a folder in memory, so that what its disk does not take is lost."""
    nowhere = tmp_path / "nowhere"
    monkeypatch.setattr(
        "routing.edge.state.memory.get_environment", lambda: SimpleNamespace(edge_memory_directory=nowhere)
    )
    monkeypatch.setenv("SLUICE_EDGE_MEMORY_DIRECTORY", str(nowhere))
    with small_disk(tmp_path / "edge", megabytes=32), run_edge(tmp_path, valkey.url) as running:
        wait_until((running.directory.path / "reserve").exists)
        publish(redis, table(stable, candidate))
        running.wait_for_table(1)
        yield running


def ask(edge: RunningEdge, **counts: int) -> None:
    """So many requests of each arm, and of nobody's that is measured."""
    with httpx.Client(base_url=edge.url) as client:
        for arm, count in counts.items():
            headers = {"x-user-id": UNITS[arm]} if arm in UNITS else {}
            for _ in range(count):
                assert client.post("/chat", json={}, headers=headers).status_code == 200


def lost(redis: Redis) -> dict[tuple[str, str, str], int | None]:
    """What the edge says it has lost, by backend, experiment and variant, over all runs of Envoy."""
    found: Counter[tuple[str, str, str]] = Counter()
    for loss in told(redis):
        found[loss["backend"], loss["experiment"], loss["variant"]] += loss["rows"] or 0
    return dict(found)


def told(redis: Redis) -> list[dict[str, Any]]:
    losses: list[dict[str, Any]] = json.loads(heartbeat(redis).get("losses", "[]"))
    return losses


def rows(redis: Redis) -> Counter[str]:
    """How many rows each arm has in the stream."""
    return Counter(row["variant"] or "" for row in stored_rows(redis))


def test_nothing_is_lost_while_all_is_well(edge: RunningEdge, redis: Redis) -> None:
    ask(edge, control=30, new=20, nobody=10)
    wait_for_comparison(redis)
    assert (told(redis), rows(redis)) == ([], {"control": 30, "new": 20, "": 10})


def test_what_a_full_disk_costs_is_known_by_backend_and_arm(edge: RunningEdge, redis: Redis) -> None:
    ask(edge, control=30, new=20, nobody=10)
    wait_until(lambda: rows(redis).total() == 60)
    filler = fill(edge.directory.path)
    fill(edge.directory.path)
    ask(edge, control=300, new=200, nobody=100)
    wait_for_comparison(redis)
    filler.unlink()
    ask(edge, control=5, new=5, nobody=5)
    wait_for_comparison(redis)

    shipped = rows(redis)
    assert shipped.total() < 400
    assert lost(redis) == {
        ("stable", "canary", "control"): 335 - shipped["control"],
        ("candidate", "canary", "new"): 225 - shipped["new"],
        ("stable", "", ""): 115 - shipped[""],
    }
    assert all(loss["since"] <= loss["until"] for loss in told(redis))


def test_a_new_agent_remembers_and_finds_no_more(edge: RunningEdge, redis: Redis) -> None:
    ask(edge, control=50)
    filler = fill(edge.directory.path)
    ask(edge, control=200, new=100)
    wait_for_comparison(redis)
    filler.unlink()
    ask(edge, control=7)
    wait_for_comparison(redis)
    known = lost(redis)
    assert known

    edge.kill_agent()
    ask(edge, control=9, new=9)
    redis.delete("sluice:edge:edge-1")
    edge.start_agent()
    wait_for_comparison(redis)

    assert lost(redis) == known


def test_an_envoy_that_dies_while_it_cannot_write_leaves_what_nobody_can_tell(edge: RunningEdge, redis: Redis) -> None:
    ask(edge, control=20)
    fill(edge.directory.path)
    ask(edge, control=200, new=100)
    wait_for_comparison(redis)
    ask(edge, control=200, new=100)
    wait_for_comparison(redis)

    edge.kill_envoy()
    edge.start_envoy()
    ask(edge, control=3)
    wait_for_comparison(redis)

    assert [loss["variant"] for loss in told(redis) if loss["rows"] is None] == [""]


def test_an_envoy_that_dies_while_it_could_write_leaves_none(edge: RunningEdge, redis: Redis) -> None:
    ask(edge, control=40, new=40)
    wait_for_comparison(redis)
    edge.kill_envoy()
    edge.start_envoy()
    ask(edge, control=10, new=10)
    wait_for_comparison(redis)
    assert told(redis) == []


def test_a_redis_that_lost_everything_makes_no_rows_lost(edge: RunningEdge, redis: Redis) -> None:
    ask(edge, control=40, new=40)
    wait_for_comparison(redis)
    redis.flushall()
    ask(edge, control=10, new=10)
    wait_for_comparison(redis)
    assert told(redis) == []


def test_what_is_known_only_grows() -> None:
    losses, origin = Losses(), Origin("run", "stable", "canary", "new")
    assert losses.note({origin: 3}, 1.0)
    assert not losses.note({origin: 2}, 2.0)
    assert losses.note({origin: 5}, 3.0)
    [loss] = losses.known
    assert (loss.rows, loss.since, loss.until) == (5, "1970-01-01T00:00:01+00:00", "1970-01-01T00:00:03+00:00")
