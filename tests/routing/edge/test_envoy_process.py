"""Envoy comes back by itself, and ends with what started it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from routing.edge.envoy import envoy_process
from routing.edge.envoy.envoy_process import STEADY_SECONDS, Restarter
from tests.routing.edge.edges import RunningEdge, end
from tests.servers.envoys import served_version
from tests.servers.processes import free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def edge(tmp_path: Path) -> RunningEdge:
    return RunningEdge(tmp_path, f"redis://127.0.0.1:{free_port()}/0")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the process says."""
    return tmp_path / "process.log"


@pytest.fixture
def process(edge: RunningEdge, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "routing.edge.envoy.envoy_process", str(edge.directory.path)]
    with log.open("wb") as output:
        running = subprocess.Popen(command, stderr=output)
    try:
        wait_until(lambda: served_version(edge.url) == 0)
        yield running
    finally:
        end(running)


def envoy_of(process: subprocess.Popen[bytes]) -> int:
    """Its process id, which Linux lists as the one child."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def uptime_seconds(edge: RunningEdge) -> int:
    """How long Envoy says that it has been running."""
    told = json.loads(edge.admin("/server_info"))["uptime_current_epoch"]
    return int(told.removesuffix("s"))


def test_a_killed_envoy_is_started_again_at_once(
    edge: RunningEdge, process: subprocess.Popen[bytes], log: Path
) -> None:
    wait_until(lambda: uptime_seconds(edge) > STEADY_SECONDS)
    killed = envoy_of(process)

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: "envoy ended" in log.read_text())
    [ended] = [json.loads(line) for line in log.read_text().splitlines() if "envoy ended" in line]
    assert (ended["exit_code"], ended["started_again_after_seconds"]) == (-signal.SIGKILL, 0.0)
    wait_until(lambda: served_version(edge.url) == 0)
    assert envoy_of(process) != killed


def test_it_ends_envoy_before_itself(edge: RunningEdge, process: subprocess.Popen[bytes]) -> None:
    envoy = envoy_of(process)

    process.terminate()

    assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert not Path(f"/proc/{envoy}").exists()


def test_envoy_does_not_outlive_it(edge: RunningEdge, process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()

    wait_until(lambda: served_version(edge.url) is None)


def test_what_ends_at_once_is_started_less_and_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envoy_process, "LONGEST_PAUSE_SECONDS", 0.4)
    monkeypatch.setattr(envoy_process, "STEADY_SECONDS", 3600.0)
    starts = tmp_path / "starts"
    program = f"import time; print(time.monotonic(), file=open({str(starts)!r}, 'a'))"
    restarter = Restarter([sys.executable, "-c", program])

    with ThreadPoolExecutor() as threads, capture_logs() as logs:
        running = threads.submit(restarter.run)
        wait_until(lambda: len(logs) >= 5)
        restarter.stop()
        running.result()

    times = [float(line) for line in starts.read_text().split()]
    told = [entry["started_again_after_seconds"] for entry in logs[:5]]
    assert told == [0.1, 0.2, 0.4, 0.4, 0.4]
    assert all(later - earlier >= pause for (earlier, later), pause in zip(pairwise(times), told, strict=False))
