"""An edge with endpoints for each kind of model server, and what it logs of one request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from routing.protocols import PROTOCOLS
from routing.table import Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
READING = "reading"

Seen = tuple[str, str | None]

SUCCESS: Seen = ("success", None)
NO_ANSWER: Seen = ("failed", "no-answer")
ERROR: Seen = ("failed", "error-in-answer")
UNFINISHED: Seen = ("failed", "unfinished")
NOT_AS_ASKED: Seen = ("failed", "not-as-asked")
UNREADABLE: Seen = ("unknown", "unreadable")


@contextmanager
def run_edge_of_kinds(folder: Path, address: str) -> Iterator[RunningEnvoy]:
    """An endpoint for each kind, by its host, and for each one that finds the unit in the body, so that it is read.

    All are answered by this one server.
    """
    unit = Unit(UnitSource.BODY, "user")
    endpoints = [replace(make_endpoint(key, path_prefix="/", backend=key), hosts=(key,)) for key in sorted(PROTOCOLS)]
    reading = [
        replace(endpoint, key=f"{READING}-{endpoint.key}", hosts=(f"{READING}-{endpoint.key}",), unit=unit)
        for endpoint in endpoints
    ]
    backends = tuple(make_backend(key, address, protocol=key) for key in PROTOCOLS)
    with run_envoy(folder, make_table(*endpoints, *reading, backends=backends)) as running:
        yield running


def row_of(envoy: RunningEnvoy, path: str, host: str = "openai", sent: Any = None) -> dict[str, Any]:
    """What is logged of one request."""
    response = httpx.post(f"{envoy.url}{path}", json=sent or {}, headers={"host": host})
    return envoy.row(response.headers["x-request-id"])


def seen(envoy: RunningEnvoy, path: str, host: str = "openai", sent: Any = None) -> Seen:
    """How a request ended, and why."""
    row = row_of(envoy, path, host, sent)
    return row["result"], row["failure"]
