"""How busy the backends are: what their servers publish, asked every few seconds."""

from dataclasses import asdict
from threading import Event
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import structlog
from pydantic_core import to_json

from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier
from routing.protocols import KINDS
from routing.protocols.load import Load, read_load
from routing.protocols.types import LoadMetrics
from routing.table import Backend, reached

log = structlog.get_logger()

ASK_SECONDS = 5.0
ANSWER_SECONDS = 1.0
LONGEST_ANSWER = 8 << 20


class Loads:
    """Asks the first address of each backend whose kind publishes its load; one that does not answer is left out."""

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
    metrics = KINDS[backend.protocol].load
    if metrics is None:
        return None
    try:
        with urlopen(_address(backend, metrics), timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - a checked address
            return read_load(metrics, answer.read(LONGEST_ANSWER).decode(errors="replace"))
    except (URLError, OSError, ValueError):
        return None


def _address(backend: Backend, metrics: LoadMetrics) -> str:
    first = urlsplit(backend.addresses[0])
    place = (
        first.netloc if metrics.port is None else f"{first.netloc.rpartition(':')[0] or first.netloc}:{metrics.port}"
    )
    return f"{first.scheme}://{place}{metrics.path}"
