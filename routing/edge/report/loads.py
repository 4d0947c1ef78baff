"""How busy the backends are: what their servers publish, asked every few seconds."""

from contextlib import closing
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event
from urllib.parse import urlsplit

import structlog
from pydantic_core import to_json

from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier
from routing.protocols import PROTOCOLS
from routing.protocols.load import Load, read_load
from routing.protocols.types import LoadMetrics
from routing.table import Backend, reached

log = structlog.get_logger()

ASK_SECONDS = 5.0
ANSWER_SECONDS = 1.0
LONGEST_ANSWER = 8 << 20
OK = 200


class Loads:
    """Asks the first address of each backend whose protocol tells its load; one that does not answer is left out."""

    def __init__(self, applier: Applier, status: EdgeStatus) -> None:
        self._applier = applier
        self._status = status

    def run(self, stop: Event) -> None:
        """Ask until stopped."""
        while not stop.wait(ASK_SECONDS):
            self.step()

    def step(self) -> None:
        """Ask all once."""
        loads = {backend.key: load for backend in reached(self._applier.applied) if (load := _load_of(backend))}
        self._status.loads = to_json({key: asdict(load) for key, load in loads.items()}).decode()


def _load_of(backend: Backend) -> Load | None:
    metrics = PROTOCOLS[backend.protocol].load
    if metrics is None:
        return None
    try:
        content = _answer(backend.addresses[0], metrics)
    except (OSError, HTTPException, ValueError):
        return None
    return None if content is None else read_load(metrics, content.decode(errors="replace"))


def _answer(address: str, metrics: LoadMetrics) -> bytes | None:
    """None for what is no success; a redirect is none, and no proxy stands between an edge and its backends."""
    with closing(_connection(address, metrics.port)) as connection:
        connection.request("GET", metrics.path)
        response = connection.getresponse()
        return response.read(LONGEST_ANSWER) if response.status == OK else None


def _connection(address: str, port: int | None) -> HTTPConnection:
    first = urlsplit(address)
    kind = HTTPSConnection if first.scheme == "https" else HTTPConnection
    place = first.netloc if port is None else f"{first.netloc.rpartition(':')[0] or first.netloc}:{port}"
    return kind(place, timeout=ANSWER_SECONDS)
