"""Processes of a bench: where they run, what they used, how much they hold."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import free_port, stopping
from tests.waiting import wait_until

PAGE = os.sysconf("SC_PAGE_SIZE")
CORES = sorted(os.sched_getaffinity(0))


def keep_client_apart() -> None:
    """Give this process one core for itself: whether it shares the backend's decides more than what is measured."""
    os.sched_setaffinity(0, {CORES[-1]})


@contextmanager
def on_first_core() -> Iterator[None]:
    """What is started in the block runs on the machine's first core, as the backend does."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def tree(process: int) -> list[int]:
    """A process and all that it started, and they."""
    children = Path(f"/proc/{process}/task/{process}/children")
    threads = Path(f"/proc/{process}/task").glob("*/children") if children.exists() else []
    return [process, *(each for path in threads for child in path.read_text().split() for each in tree(int(child)))]


def cpu_seconds(process: int) -> float:
    """CPU time of a process and all that it started so far, in user and kernel mode."""
    return sum(time.clock_gettime(_cpu_clock(each)) for each in tree(process))


def _cpu_clock(process: int) -> int:
    """Linux's number of the clock that a process uses up, which is finer than what /proc tells of it."""
    return ~process << 3 | 2


def resident_bytes(process: int) -> int:
    """Memory of a process and all that it started; what several share counts for each."""
    return sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in tree(process)) * PAGE


@contextmanager
def run_model(name: str) -> Iterator[int]:
    """A backend in a process of its own; yields its port."""
    port = free_port()
    with on_first_core():
        process = subprocess.Popen([sys.executable, "-m", "bench.edge.model", str(port), name])
    with stopping(process):
        wait_until(lambda: accepts(port))
        yield port


def accepts(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
