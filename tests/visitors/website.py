"""The web app as `make run` serves it, with an approver, an endpoint, two backends and an experiment with results."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.install.front import FILE_NAME, PATIENCE, Patience, write_front
from controlplane.storage.sockets import socket_directory
from controlplane.web.http_client import answers
from routing.installed_envoy import envoy_binary
from tests.migrated import new_database
from tests.servers.processes import free_port, run_valkey, stopping
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
NAME, PASSWORD = "olga", "a good long one"
PEOPLE = f"""
import django
django.setup()
from controlplane.models import Role, User
approver = User.objects.create_user({NAME!r}, password={PASSWORD!r}, role=Role.APPROVER)
"""
FILL = f"""{PEOPLE}
from tests.experiments.views.findings import found, measured, running
measured(running("measured", traffic=10), found())
"""


@dataclass(frozen=True, slots=True)
class Website:
    """A web app behind its front: its address, its data, and both processes."""

    address: str
    port: int
    environment: dict[str, str]
    app: subprocess.Popen[bytes]
    front: subprocess.Popen[bytes]


@contextmanager
def run_website(directory: Path, fill: str = FILL) -> Iterator[str]:
    """Serve a fresh database, which the program `fill` fills; yields the address.

    The database is a file in `directory` or, where the tests run on PostgreSQL, one of its own there.
    """
    with run_web_app(directory, fill) as website:
        yield website.address


@contextmanager
def run_web_app(
    directory: Path, fill: str = FILL, *, open_files: int = 20_000, patience: Patience = PATIENCE
) -> Iterator[Website]:
    """The same, with the processes behind it, and with a front of this patience and so many open files."""
    port, sockets = free_port(), socket_directory(directory)
    with run_valkey(directory / "valkey") as valkey:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "controlplane.settings.django",
            "SLUICE_DATA_DIRECTORY": str(directory),
            "SLUICE_SOCKETS": str(sockets),
            "SLUICE_DATABASE_URL": new_database(directory),
            "SLUICE_REDIS_URL": valkey.url,
        }
        subprocess.run([sys.executable, "-c", fill], check=True, cwd=ROOT, env=environment)
        write_front(directory, sockets, host="127.0.0.1", port=port, open_files=open_files, patience=patience)
        with stopping(start_app(environment)) as app, stopping(_start_front(directory)) as front:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{address}/login") or not _live(app, front))
            assert _live(app, front)
            yield Website(address, port, environment, app, front)


def _live(*processes: subprocess.Popen[bytes]) -> bool:
    return all(process.poll() is None for process in processes)


def start_app(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """The app itself, on the socket that the front knows."""
    serve = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.py"]
    return subprocess.Popen(serve, cwd=ROOT, env=environment)


def _start_front(directory: Path) -> subprocess.Popen[bytes]:
    options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    return subprocess.Popen([str(envoy_binary()), "--config-path", str(directory / FILE_NAME), *options])
