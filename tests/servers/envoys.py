"""A real Envoy on a routing table."""

import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from routing.access_log import to_row
from routing.edge.envoy.calls import socket_line
from routing.edge.envoy.configuration import write_gate, write_routes
from routing.edge.envoy.envoy_process import envoy_command
from routing.edge.state.files import EdgeDirectory, write_json
from routing.envoy import TABLE_PATH, Certificate, bootstrap, clusters
from routing.envoy.clusters import NO_SECRETS
from routing.table import Table, problems
from tests.servers.processes import free_port, stopping
from tests.waiting import PATIENCE_SECONDS, wait_until

# What an edge allows its hosts is for real machines. Here a busy one is given its time, what was left out stays out,
# and what a test changes is seen soon.
HEALTH_CHECK = {"timeout": "60s", "interval": "0.5s", "no_traffic_interval": "0.5s"}
EJECTION = {"base_ejection_time": "3600s", "max_ejection_time": "3600s"}


@dataclass(frozen=True, slots=True)
class RunningEnvoy:
    """An Envoy that serves its table, with the process behind it."""

    port: int
    directory: EdgeDirectory
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def logged(self, request_id: str) -> dict[str, Any]:
        """The access log's line about one request, once it is there."""
        return self.logged_all(request_id, 1)[0]

    def logged_all(self, request_id: str, count: int) -> list[dict[str, Any]]:
        """The access log's lines about one request and its copies, once there are as many."""
        return [json.loads(line) for line in self._lines_of(request_id, count)]

    def row(self, request_id: str) -> dict[str, Any]:
        """The lake's row of one request, once it is logged."""
        return to_row(self._lines_of(request_id, 1)[0], "edge", b"key")

    def log_lines(self, count: int) -> list[dict[str, Any]]:
        """The access log, once it has at least `count` lines."""
        wait_until(lambda: self.directory.access_log.read_bytes().count(b"\n") >= count)
        return [json.loads(line) for line in self._lines()]

    def admin(self, path: str) -> str:
        """What its admin interface answers."""
        return socket_line(self.directory.admin).call("GET", path)

    def flags(self, cluster: str) -> dict[int, set[str]]:
        """Why Envoy leaves hosts of a cluster out, by their ports; nothing about those that it asks."""
        statuses = json.loads(self.admin("/clusters?format=json"))["cluster_statuses"]
        hosts = next(status["host_statuses"] for status in statuses if status["name"] == cluster)
        failed = {name for host in hosts for name in host["health_status"] if name.startswith("failed")}
        return {
            host["address"]["socket_address"]["port_value"]: failed & host["health_status"].keys() for host in hosts
        }

    def _lines_of(self, request_id: str, count: int) -> list[bytes]:
        def found() -> list[bytes]:
            lines = [line for line in self._lines() if request_id.encode() in line]
            about_it = [line for line in lines if json.loads(line)["request_id"] == request_id]
            return about_it if len(about_it) >= count else []

        return wait_until(found)

    def _lines(self) -> list[bytes]:
        return self.directory.access_log.read_bytes().rpartition(b"\n")[0].splitlines()


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
    port = free_port()
    write_bootstrap(edge, port, certificate)
    write_gate(edge, table)
    write_routes(edge, table)
    served = patiently(clusters(table, certificates=certificates, secrets=secrets))
    write_json(edge.clusters, served if with_clusters else {**served, "resources": []})
    with stopping(subprocess.Popen(envoy_command(edge))) as process:
        running = RunningEnvoy(port, edge, process)
        url = running.url if certificate is None else running.url.replace("http", "https")
        wait_until(lambda: served_version(url) == table.version or process.poll() is not None)
        assert process.poll() is None
        yield running


def patiently(served: dict[str, Any]) -> dict[str, Any]:
    """Clusters whose hosts are given the time that tests give them."""
    for cluster in served["resources"]:
        for check in cluster.get("health_checks", ()):
            check.update(HEALTH_CHECK)
        if "outlier_detection" in cluster:
            cluster["outlier_detection"].update(EJECTION)
    return served


def write_bootstrap(edge: EdgeDirectory, port: int, certificate: Certificate | None = None) -> None:
    """Envoy's static configuration, on the loopback interface."""
    content = bootstrap(
        name="test",
        host="127.0.0.1",
        port=port,
        files=edge.for_envoy(),
        certificate=certificate,
    )
    write_json(edge.bootstrap, content)


def wait_until_served(url: str, version: int) -> None:
    """Return once an edge serves this version of the table."""
    wait_until(lambda: served_version(url) == version)


def served_version(url: str) -> int | None:
    """The version of the table that an edge serves; None when it does not answer."""
    address, unverified = f"{url}{TABLE_PATH}", ssl._create_unverified_context()  # noqa: S323 - a test's own certificate
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS, context=unverified) as response:  # noqa: S310
            version: int = json.load(response)["version"]
            return version
    except (OSError, HTTPException):
        return None
