"""A real Envoy on a routing table."""

import json
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routing.access_log import to_row
from routing.edge.configuration import write_gate, write_routes
from routing.edge.envoy_process import envoy_command
from routing.edge.files import EdgeDirectory, write_json
from routing.envoy import TABLE_PATH, Certificate, bootstrap, clusters
from routing.envoy.clusters import NO_SECRETS
from routing.table import Table, problems
from tests.servers import free_port, stopping

START_SECONDS = 20.0
LOG_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class RunningEnvoy:
    """An Envoy that serves its table, with the process behind it."""

    port: int
    admin_port: int
    directory: EdgeDirectory
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def logged(self, request_id: str) -> dict[str, Any]:
        """The access log's line about one request, once it is there."""
        return self._await_log(lambda lines: [line for line in lines if line["request_id"] == request_id])[0]

    def row(self, request_id: str) -> dict[str, Any]:
        """The lake's row of one request, once it is logged."""
        self.logged(request_id)
        lines = self.directory.access_log.read_bytes().rpartition(b"\n")[0].splitlines()
        rows = [to_row(line, "edge", b"key") for line in lines]
        return next(row for row in rows if row["request_id"] == request_id)

    def log_lines(self, count: int) -> list[dict[str, Any]]:
        """The access log, once it has at least `count` lines."""
        return self._await_log(lambda lines: lines if len(lines) >= count else [])

    def _await_log(self, pick: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + LOG_SECONDS
        while True:
            complete = self.directory.access_log.read_bytes().rpartition(b"\n")[0].splitlines()
            picked = pick([json.loads(line) for line in complete])
            if picked:
                return picked
            if time.monotonic() > deadline:
                raise TimeoutError(f"The access log has {len(complete)} lines, not those that were expected.")
            time.sleep(0.05)


@contextmanager
def run_envoy(
    directory: Path,
    table: Table,
    *,
    certificates: str = "",
    secrets: Mapping[str, str] = NO_SECRETS,
    with_clusters: bool = True,
    certificate: Certificate | None = None,
) -> Iterator[RunningEnvoy]:
    """Run Envoy until the block ends; without clusters it answers every routed request by itself."""
    assert problems(table) == ()
    edge = EdgeDirectory(directory)
    edge.spool.mkdir(parents=True)
    port, admin_port = free_port(), free_port()
    write_bootstrap(edge, port, admin_port, certificate)
    write_gate(edge, table)
    write_routes(edge, table)
    served = clusters(table, certificates=certificates, secrets=secrets)
    write_json(edge.clusters, served if with_clusters else {**served, "resources": []})
    with stopping(subprocess.Popen(envoy_command(edge))) as process:
        running = RunningEnvoy(port, admin_port, edge, process)
        wait_until_served(running.url if certificate is None else running.url.replace("http", "https"), table.version)
        yield running


def write_bootstrap(edge: EdgeDirectory, port: int, admin_port: int, certificate: Certificate | None = None) -> None:
    """Envoy's static configuration, on the loopback interface."""
    content = bootstrap(
        name="test",
        host="127.0.0.1",
        port=port,
        admin_port=admin_port,
        files=edge.for_envoy(),
        certificate=certificate,
    )
    write_json(edge.bootstrap, content)


def wait_until_served(url: str, version: int) -> None:
    """Return once an edge serves this version of the table."""
    deadline = time.monotonic() + START_SECONDS
    while served_version(url) != version:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Envoy does not serve table {version}.")
        time.sleep(0.02)


def served_version(url: str) -> int | None:
    """The version of the table that an edge serves; None when it does not answer."""
    try:
        unverified = ssl._create_unverified_context()  # noqa: S323 - a test's own certificate
        with urllib.request.urlopen(f"{url}{TABLE_PATH}", timeout=1, context=unverified) as response:  # noqa: S310
            version: int = json.load(response)["version"]
            return version
    except OSError:
        return None
