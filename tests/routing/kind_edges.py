"""An edge with an endpoint for each kind of model server, and what it logs of one request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from routing.kinds import KINDS
from tests.routing.envoys import RunningEnvoy, run_envoy
from tests.routing.tables import make_backend, make_endpoint, make_table

Seen = tuple[str, str | None]

SUCCESS: Seen = ("success", None)
NO_ANSWER: Seen = ("failed", "no-answer")
ERROR: Seen = ("failed", "error-in-answer")


@contextmanager
def run_edge_of_kinds(folder: Path, address: str) -> Iterator[RunningEnvoy]:
    """All kinds are told apart by the host, and answered by this one server."""
    endpoints = [replace(make_endpoint(key, path_prefix="/", backend=key), hosts=(key,)) for key in sorted(KINDS)]
    backends = tuple(make_backend(key, address, protocol=key) for key in KINDS)
    with run_envoy(folder, make_table(*endpoints, backends=backends)) as running:
        yield running


def seen(envoy: RunningEnvoy, kind: str, path: str) -> Seen:
    """How a request ended, and why."""
    response = httpx.post(f"{envoy.url}{path}", json={}, headers={"host": kind})
    row = envoy.row(response.headers["x-request-id"])
    return row["result"], row["failure"]
