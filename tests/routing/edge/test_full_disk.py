"""An edge whose disk is full to the last byte serves, follows the table, keeps it, and takes candidates out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from redis import Redis

from routing.allocation.assign import assign
from routing.allocation.unit_identity import unit_hash
from routing.edge.envoy.configuration import read_table
from routing.edge.state.disk_space import FULL
from routing.edge.state.spool import Spool
from routing.table import Arm, Guard, Table, from_json
from tests.disks import fill, free_bytes, small_disk
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import UNIT_KEY, RunningEdge, heartbeat, publish, run_edge
from tests.routing.edge.stored import collect_all, stored_rows
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SPLIT = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
ENDPOINT = make_endpoint("chat", replace(SPLIT, guard=Guard(window_seconds=60)))
UNIT = next(unit for unit in map(str, range(400)) if assign(ENDPOINT, unit).variant == "new")
"""A user of the candidate."""


def table_on(server: ModelServer, version: int) -> Table:
    backend = make_backend(server.name, server.address)
    return make_table(make_endpoint("chat", backend=backend.key), backends=(backend,), version=version)


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    with small_disk(tmp_path / "edge", megabytes=32), run_edge(tmp_path, valkey.url) as running:
        wait_until((running.directory.path / "reserve").exists)
        yield running


def fill_up(edge: RunningEdge) -> Path:
    """Again and again: whatever the edge sets free is taken too."""
    filler = fill(edge.directory.path)
    assert free_bytes(edge.directory.path) == 0
    return filler


def who_answers(edge: RunningEdge) -> str:
    answer: str = httpx.post(f"{edge.url}/chat", json={}).json()["server"]
    return answer


def test_tables_are_followed_and_outlive_the_processes(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, table_on(stable, 1))
    edge.wait_for_table(1)
    for version, server in ((2, candidate), (3, stable), (4, candidate)):
        fill_up(edge)
        publish(redis, table_on(server, version))
        edge.wait_for_table(version)
        assert who_answers(edge) == server.name
    wait_until(lambda: heartbeat(redis).get("error") == FULL)
    assert edge.agent is not None
    assert edge.agent.poll() is None
    wait_until(lambda: read_table(edge.directory).version == 4)

    edge.kill_agent()
    edge.kill_envoy()
    fill_up(edge)
    edge.redis_url = f"redis://127.0.0.1:{free_port()}/0"
    edge.start_envoy()
    edge.start_agent()
    edge.wait_for_table(4)
    assert who_answers(edge) == "candidate"


def test_once_there_is_room_again_all_is_as_before(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    filler = fill_up(edge)
    publish(redis, table_on(stable, 1))
    edge.wait_for_table(1)
    fill_up(edge)
    wait_until(lambda: heartbeat(redis).get("error") == FULL)

    filler.unlink()

    wait_until(lambda: heartbeat(redis)["error"] == "")
    publish(redis, table_on(candidate, 2))
    edge.wait_for_table(2)
    wait_until(lambda: read_table(edge.directory).version == 2)
    wait_until(lambda: not edge.directory.path.joinpath("table.json.newer").is_symlink())
    assert from_json(edge.directory.table.read_text()).version == 2
    assert edge.directory.path.joinpath("reserve").stat().st_size > 0


def ask(edge: RunningEdge, count: int, unit: str = UNIT) -> None:
    with httpx.Client(base_url=edge.url) as client:
        for _ in range(count):
            client.post("/chat", json={}, headers={"x-user-id": unit})


def move_to_memory(edge: RunningEdge) -> Path:
    """Fill the disk, and return once Envoy logs to memory; what fills the disk."""
    filler = fill_up(edge)
    spool = Spool(edge.directory.access_log)
    wait_until(spool.in_memory)

    def answered_and_logged() -> bool:
        """Envoy opens a new segment when it has something to write."""
        ask(edge, 1)
        return spool.bytes_in_memory() > 0

    wait_until(answered_and_logged)
    return filler


def rows(redis: Redis, unit: str) -> int:
    hashed = unit_hash(bytes.fromhex(UNIT_KEY), unit)
    return sum(row["unit"] == hashed for row in stored_rows(redis))


def test_answers_are_recorded_in_memory_until_there_is_room(
    edge: RunningEdge, redis: Redis, stable: ModelServer
) -> None:
    publish(redis, table_on(stable, 1))
    edge.wait_for_table(1)
    filler = move_to_memory(edge)
    spool = Spool(edge.directory.access_log)
    ask(edge, 200, "ann")
    wait_until(lambda: rows(redis, "ann") == 200)
    edge.kill_agent()
    ask(edge, 20, "bob")
    edge.start_agent()
    wait_until(lambda: rows(redis, "bob") == 20)

    filler.unlink()
    wait_until(lambda: not spool.in_memory())
    ask(edge, 10, "cleo")
    wait_until(lambda: rows(redis, "cleo") == 10)
    collect_all(redis)
    wait_until(lambda: spool.bytes_in_memory() == 0)


def test_the_guard_sees_a_candidate_fail(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    backends = (make_backend("stable", stable.address), make_backend("candidate", candidate.address))
    publish(redis, make_table(ENDPOINT, backends=backends, version=1))
    edge.wait_for_table(1)
    move_to_memory(edge)
    fill_up(edge)
    candidate.status = 500
    try:
        with httpx.Client(base_url=edge.url) as client:
            wait_until(lambda: client.post("/chat", json={}, headers={"x-user-id": UNIT}).status_code == 200)
    finally:
        candidate.status = 200
    wait_until(lambda: "canary" in heartbeat(redis)["cuts"])

    edge.kill_agent()
    edge.kill_envoy()
    edge.start_envoy()
    edge.start_agent()
    wait_until(lambda: "canary" in heartbeat(redis).get("cuts", ""))


def test_a_machine_that_starts_anew_has_lost_what_was_in_memory_alone(
    edge: RunningEdge, redis: Redis, stable: ModelServer
) -> None:
    publish(redis, table_on(stable, 1))
    edge.wait_for_table(1)
    filler = move_to_memory(edge)
    edge.kill_agent()
    edge.kill_envoy()
    (edge.directory.path / "memory").readlink().rename(edge.directory.path.parent / "gone")
    filler.unlink()

    edge.prepare()
    edge.start_envoy()
    edge.start_agent()
    edge.wait_for_table(1)
    ask(edge, 10, "ann")

    wait_until(lambda: rows(redis, "ann") == 10)


def test_without_a_folder_in_memory_the_disk_is_used(
    tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nowhere"
    monkeypatch.setattr(
        "routing.edge.state.memory.get_environment", lambda: SimpleNamespace(edge_memory_directory=nowhere)
    )
    monkeypatch.setenv("SLUICE_EDGE_MEMORY_DIRECTORY", str(nowhere))
    with run_edge(tmp_path, valkey.url) as edge:
        publish(redis, table_on(stable, 1))
        edge.wait_for_table(1)
        assert not edge.directory.routes.is_symlink()


def test_a_folder_in_memory_that_is_gone_is_made_anew(
    tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    with run_edge(tmp_path, valkey.url) as edge:
        publish(redis, table_on(stable, 1))
        edge.wait_for_table(1)
        (edge.directory.path / "memory").readlink().rename(tmp_path / "gone")

        publish(redis, table_on(candidate, 2))

        edge.wait_for_table(2)
        assert who_answers(edge) == "candidate"
