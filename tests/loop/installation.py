"""A whole installation in a folder of its own: what `make run` starts, on free ports."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from controlplane.install.credentials import read_credentials
from controlplane.storage.sockets import socket_directory
from routing.edge.envoy.calls import socket_line
from routing.edge.state.files import EdgeDirectory
from tests.servers.processes import free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    "valkey",
    "sluice:envoy",
    "sluice:agent",
    "sluice:collector",
    "sluice:worker",
    "sluice:beat",
    "sluice:importer",
    "sluice:web",
    "sluice:front",
)


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation and the ways to talk to it."""

    directory: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    client: httpx.Client
    edge_url: str
    credentials: dict[str, str]

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API; the answer as plain data. Raises `httpx.HTTPStatusError` with the answer's text."""
        response = self.client.request(method, f"/api/v1/{path}", json=body)
        if response.is_error:
            raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
        return response.json() if response.content else None

    def process_id(self, program: str) -> int:
        """Process id of one of `PROGRAMS`; 0 while it is not running."""
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", "deploy/supervisord.conf", "pid", program]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, check=False)
        text = done.stdout.decode().strip()
        return int(text) if text.isdigit() else 0

    def kill(self, program: str) -> None:
        """`kill -9`, without a chance to clean up."""
        os.kill(self.process_id(program), signal.SIGKILL)

    def kill_envoy(self) -> None:
        """`kill -9` of Envoy itself, under the process that starts it again."""
        parent = self.process_id("sluice:envoy")
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)

    def written_ids(self) -> set[str]:
        """The requests that stand in the edge's log now."""
        segments = (self.directory / "edge" / "spool").glob("*.jsonl")
        lines = [line for segment in segments for line in segment.read_bytes().rpartition(b"\n")[0].splitlines()]
        return {json.loads(line)["request_id"] for line in lines}

    def envoy_info(self) -> Any:
        """What Envoy says of itself."""
        return json.loads(socket_line(EdgeDirectory(self.directory / "edge").admin).call("GET", "/server_info"))

    def log(self, program: str) -> str:
        """What a program has logged."""
        return (self.directory / "logs" / f"{program.removeprefix('sluice:')}.log").read_text()


@contextmanager
def run_installation(directory: Path) -> Iterator[Installation]:
    """Start everything as `make run` does, and stop it with Ctrl-C's signal."""
    web_port, edge_port = free_port(), free_port()
    settings = {
        "SLUICE_DATA_DIRECTORY": str(directory),
        "SLUICE_DATABASE_URL": "",
        "SLUICE_SECRET_KEY": "",
        "SLUICE_UNIT_KEY": "",
        "SLUICE_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
        "SLUICE_WEB_PORT": str(web_port),
        "SLUICE_EDGE_PORT": str(edge_port),
    }
    names_of_supervisord = {
        "SLUICE_ROOT": str(ROOT),
        "SLUICE_LOGS": str(directory / "logs"),
        "SLUICE_SOCKETS": str(socket_directory(directory)),
    }
    environment = {name: value for name, value in {**os.environ, **settings}.items() if value}
    output = (directory / "up.log").open("wb")
    process = subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=output)
    try:
        wait_until(lambda: process.poll() is not None or "Sluice is running" in (directory / "up.log").read_text())
        assert process.poll() is None, (directory / "up.log").read_text()
        credentials = read_credentials(directory / "credentials.env")
        headers = {"Authorization": f"Bearer {credentials['SLUICE_TOKEN']}"}
        with httpx.Client(base_url=credentials["SLUICE_URL"], headers=headers) as client:
            yield Installation(
                directory,
                _for_supervisorctl({**environment, **names_of_supervisord}),
                process,
                client,
                credentials["SLUICE_EDGE_URL"],
                credentials,
            )
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE_SECONDS)
        output.close()


def _for_supervisorctl(environment: dict[str, str]) -> dict[str, str]:
    """The command expands the whole configuration, also what only supervisord needs."""
    unused = ("SLUICE_PYTHON", "SLUICE_VALKEY", "SLUICE_VALKEY_PORT", "SLUICE_EDGE", "SLUICE_ENVOY")
    return {**dict.fromkeys(unused, "unused"), **environment}
