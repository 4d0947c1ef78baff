"""Real model servers, each from an environment of its own, behind a real Envoy."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from routing.protocols import PROTOCOLS
from routing.protocols.load import Load, read_load
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.processes import free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

ENVIRONMENTS = Path(__file__).parents[2] / ".venv/backends"
PROGRAMS = Path(__file__).parent / "programs"


def installed(name: str) -> Path:
    """The programs of a server's environment; skips the test where it could not be installed."""
    programs = ENVIRONMENTS / name / "bin"
    if not programs.is_dir():
        pytest.skip(f"{name} is not installed; `make test-backends` installs it where that is possible")
    return programs


@dataclass(frozen=True, slots=True)
class Fronted:
    """A model server and the Envoy before it."""

    kind: str
    address: str
    envoy: RunningEnvoy

    def ask(self, path: str, body: dict[str, Any]) -> tuple[httpx.Response, dict[str, Any]]:
        """The server's answer by way of Envoy, and the row of the request."""
        response = httpx.post(f"{self.envoy.url}{path}", json=body)
        assert response.status_code == 200, response.text
        return response, self.envoy.row(response.headers["x-request-id"])

    def healthy(self) -> bool:
        """Whether Envoy takes the server for ready."""
        return [*self.envoy.flags("model").values()] == [set()]

    def load(self, address: str | None = None) -> Load:
        """The load that the server's own metrics tell; `address` where they are elsewhere."""
        metrics = PROTOCOLS[self.kind].load
        assert metrics
        return read_load(metrics, httpx.get(f"{address or self.address}{metrics.path}", follow_redirects=True).text)


@contextmanager
def fronted(directory: Path, kind: str, port: int, model: str = "") -> Iterator[Fronted]:
    """Run an Envoy that sends all requests to a server of this kind, until the block ends."""
    address = f"http://127.0.0.1:{port}"
    backend = replace(make_backend("model", address, protocol=kind), health_path=PROTOCOLS[kind].ready_path(model))
    endpoint = make_endpoint("model", path_prefix="/", backend="model")
    with run_envoy(directory, make_table(endpoint, backends=(backend,))) as envoy:
        yield Fronted(kind, address, envoy)


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End a process and those that it started with the block."""
    try:
        yield process
    finally:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(timeout=PATIENCE_SECONDS)
        finally:
            _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _started(arguments: list[str], output: IO[bytes], options: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options)


@contextmanager
def run_server(directory: Path, kind: str, command: Sequence[str | Path], **options: Any) -> Iterator[Fronted]:
    """Run a server, `{port}` in its command filled in, until the block ends; it is ready when the block begins.

    Envoy is there first and has seen it not ready.
    """
    port = free_port()
    log = directory / "server.log"
    with fronted(directory / "edge", kind, port, options.pop("model", "")) as front:
        wait_until(lambda: not front.healthy())
        arguments = [str(part).replace("{port}", str(port)) for part in command]
        with (
            log.open("wb") as output,
            ending(_started(arguments, output, options)) as process,
        ):
            wait_until(lambda: front.healthy() or process.poll() is not None)
            assert process.poll() is None, log.read_text()[-4000:]
            yield front
