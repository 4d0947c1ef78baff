"""Runs the tests marked `database` against a real PostgreSQL in a folder of its own."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import free_port
from tests.system_packages import find_postgresql
from tests.waiting import wait_until

SYSTEM_USER = "postgres"


@contextmanager
def run_postgresql(directory: Path) -> Iterator[str]:
    """A PostgreSQL server on a free port of the loopback interface; yields its URL.

    PostgreSQL refuses to run as root, so root hands it to the system's `postgres` user.
    """
    user = SYSTEM_USER if os.geteuid() == 0 else None
    if user is not None:
        os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
    data, port = directory / "data", free_port()
    initialise = [_program("initdb"), "-D", str(data), "-U", "sluice", "--auth", "trust", "--no-sync"]
    subprocess.run(initialise, check=True, user=user, cwd=directory, stdout=subprocess.DEVNULL)
    options = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(directory), "-c", "fsync=off"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen([_program("postgres"), *options], user=user, cwd=directory, stderr=log)
    try:
        _wait_until_ready(port, server)
        yield f"postgres://sluice@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait()


def _program(name: str) -> str:
    path = find_postgresql(name)
    if path is None:
        raise FileNotFoundError(f"PostgreSQL's {name} is missing; `make system-packages` says what to install.")
    return path


def _wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    command = [_program("pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
    wait_until(lambda: server.poll() is not None or subprocess.run(command, check=False).returncode == 0)
    if server.poll() is not None:
        raise RuntimeError("PostgreSQL did not start.")


def main() -> int:
    """Exit code of pytest."""
    with (
        tempfile.TemporaryDirectory(prefix="sluice-postgresql-") as folder,
        run_postgresql(Path(folder)) as url,
    ):
        command = [sys.executable, "-m", "pytest", "-m", "database", "-q", *sys.argv[1:]]
        return subprocess.run(command, check=False, env={**os.environ, "SLUICE_DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main())
