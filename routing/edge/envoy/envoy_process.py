"""Envoy's process, started again within a moment when it ends: `python -m routing.edge.envoy.envoy_process <folder>`.

A process manager that looks once a second is too slow for the one process that users wait for. This runs under it,
lives as long as Envoy and does nothing else, once it had the current table fetched that Envoy starts with.
"""

import ctypes
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import structlog

from controlplane.settings.logs import configure_logging
from routing.edge.state.files import EdgeDirectory
from routing.edge.state.memory import leave_memory
from routing.edge.state.spool import Spool
from routing.envoy import RUN_VARIABLE
from routing.installed_envoy import envoy_binary

FLUSH_MILLISECONDS = 20

# An Envoy that ran this long had started well, and is started again at once.
STEADY_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


def envoy_command(directory: EdgeDirectory) -> list[str]:
    """The command that runs Envoy on an edge's folder, in the foreground, with its log on standard error."""
    return [
        str(envoy_binary()),
        *("--config-path", str(directory.bootstrap)),
        # Two Envoys on one machine would otherwise meet in one piece of shared memory.
        "--disable-hot-restart",
        *("--file-flush-interval-msec", str(FLUSH_MILLISECONDS)),
        *("--log-level", "warning"),
        # Envoy calls the stream parser work in progress at every start; the version is pinned and tested.
        *("--component-log-level", "misc:error"),
    ]


def envoy_environment() -> dict[str, str]:
    """The environment of one more run of Envoy."""
    return {**os.environ, RUN_VARIABLE: secrets.token_hex(4)}


class Restarter:
    """Runs a command again and again until it is stopped, prepared each time; waits longer when it ends early."""

    def __init__(self, command: list[str], prepare: Callable[[], None] = lambda: None) -> None:
        self._command = command
        self._prepare = prepare
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = Event()

    def run(self) -> None:
        """Return when stopped, and when the command has ended."""
        pause = 0.0
        while not self._stopped.wait(pause):
            started = time.monotonic()
            code = self._run_once()
            steady = time.monotonic() - started >= STEADY_SECONDS
            pause = 0.0 if steady else min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            if not self._stopped.is_set():
                log.warning("envoy ended", exit_code=code, started_again_after_seconds=pause)

    def stop(self) -> None:
        """Ask the command to end, and start it no more; may be called by a signal's handler."""
        self._stopped.set()
        if self._process is not None:
            self._process.terminate()

    def _run_once(self) -> int:
        # Single-threaded, so running Python between fork and exec is safe.
        self._prepare()
        environment = envoy_environment()
        with subprocess.Popen(self._command, env=environment, preexec_fn=_end_with_parent) as self._process:  # noqa: PLW1509
            if self._stopped.is_set():
                self._process.terminate()
            return self._process.wait()


def _end_with_parent() -> None:
    """Have Linux end this process when its parent is gone: an orphan would hold the ports of the next Envoy."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> None:
    """Keep the Envoy of the folder in the first argument running until told to stop."""
    configure_logging("INFO")
    # A process of its own: what it loads is not kept for as long as Envoy lives.
    subprocess.run([sys.executable, "-m", "routing.edge.table.catching_up", sys.argv[1]], check=False)
    directory = EdgeDirectory(Path(sys.argv[1]))
    restarter = Restarter(envoy_command(directory), Spool(directory.access_log).prepare)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: restarter.stop())
    restarter.run()
    leave_memory(directory.path, directory.written_at_starts())


if __name__ == "__main__":
    main()
