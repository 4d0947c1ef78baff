"""The process manager: start, wait until everything answers, stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from controlplane.problems.errors import Unavailable

CONFIGURATION = Path("deploy/supervisord.conf")
START_SECONDS = 300.0
"""For what hangs: beside much else on two cores a start took 100 s. Ctrl-C ends it before."""
POLL_SECONDS = 0.1
MEANWHILE_SECONDS = 1.0


class Supervisor:
    """supervisord as a child of this process, with one configuration for all it runs."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start supervisord; it starts nothing yet."""
        self._process = subprocess.Popen(self._command("supervisord"), cwd=self._root, env=self._environment)
        self.wait_for("the process manager", lambda: self._control("pid").returncode == 0)

    def start(self, *programs: str) -> None:
        """Start programs and return once they stay up."""
        done = self._control("start", *programs)
        if done.returncode != 0:
            raise _not_started(" ".join(programs), done.stdout.decode().strip())

    def wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        """Return once `ready` says so; raise `Unavailable` when it does not in time or supervisord has ended."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self._ended() or time.monotonic() > deadline:
                raise _not_started(what, "It did not answer in time.")
            time.sleep(POLL_SECONDS)

    def wait(self, meanwhile: Callable[[], None]) -> int:
        """Wait until supervisord ends, by itself or by a signal; do something about once a second until then."""
        assert self._process is not None  # noqa: S101 - launch() came first
        while True:
            try:
                return self._process.wait(timeout=MEANWHILE_SECONDS)
            except subprocess.TimeoutExpired:
                meanwhile()

    def stop(self) -> None:
        """Stop all programs and supervisord."""
        if self._process is not None and not self._ended():
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = [*self._command("supervisorctl"), *words]
        return subprocess.run(command, cwd=self._root, env=self._environment, capture_output=True, check=False)

    def _command(self, program: str) -> list[str]:
        return [sys.executable, "-m", f"supervisor.{program}", "-c", str(self._root / CONFIGURATION)]


def _not_started(what: str, detail: str) -> Unavailable:
    return Unavailable(
        "not-started",
        f"Could not start {what}. {detail}",
        next_step="Read the logs in the data directory's `logs` folder.",
    )
