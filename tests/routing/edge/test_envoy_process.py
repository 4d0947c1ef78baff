"""Envoy comes back by itself, and ends with what started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from routing.edge import envoy_process
from routing.edge.envoy_process import Restarter
from tests.routing.edge.edges import RunningEdge, end, wait_until
from tests.routing.envoys import served_version
from tests.servers import free_port


@pytest.fixture
def edge(tmp_path: Path) -> RunningEdge:
    return RunningEdge(tmp_path, f"redis://127.0.0.1:{free_port()}/0")


@pytest.fixture
def process(edge: RunningEdge) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "routing.edge.envoy_process", str(edge.directory.path)]
    running = subprocess.Popen(command)
    try:
        wait_until(lambda: served_version(edge.url) == 0)
        yield running
    finally:
        end(running)


def envoy_of(process: subprocess.Popen[bytes]) -> int:
    """Its process id, which Linux lists as the one child."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def test_a_killed_envoy_serves_again_within_a_second(edge: RunningEdge, process: subprocess.Popen[bytes]) -> None:
    os.kill(envoy_of(process), signal.SIGKILL)
    killed = time.monotonic()

    wait_until(lambda: served_version(edge.url) is None)
    wait_until(lambda: served_version(edge.url) == 0)

    assert time.monotonic() - killed < 1


def test_it_ends_envoy_before_itself(edge: RunningEdge, process: subprocess.Popen[bytes]) -> None:
    envoy = envoy_of(process)

    process.terminate()

    assert process.wait(timeout=5) == 0
    assert not Path(f"/proc/{envoy}").exists()


def test_envoy_does_not_outlive_it(edge: RunningEdge, process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()

    wait_until(lambda: served_version(edge.url) is None)


def test_what_ends_at_once_is_started_less_and_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envoy_process, "LONGEST_PAUSE_SECONDS", 0.4)
    starts = tmp_path / "starts"
    restarter = Restarter([sys.executable, "-c", f"import time; print(time.time(), file=open({str(starts)!r}, 'a'))"])
    signal.signal(signal.SIGALRM, lambda *_: restarter.stop())
    signal.setitimer(signal.ITIMER_REAL, 3)

    restarter.run()

    times = [float(line) for line in starts.read_text().split()]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert 4 <= len(pauses) <= 10
    assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.4), strict=False))
