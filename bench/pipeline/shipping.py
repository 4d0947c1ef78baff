"""An edge's shipping of its spool, in a process of its own: `python -m bench.pipeline.shipping FOLDER REDIS_URL`."""

import signal
import sys
from pathlib import Path
from threading import Event

from redis import Redis

from routing.edge.agent import EdgeAgent, SpoolLoop
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.state.files import EdgeDirectory
from routing.edge.state.spool import Spool
from routing.edge.state.status import EdgeStatus
from tests.servers.processes import free_port

HOST = "127.0.0.1"


def ship(folder: Path, redis_url: str, stop: Event) -> None:
    """Ship until stopped. No Envoy is there: the log is written by the bench, and nobody's counters are compared."""
    port = free_port()
    edge = EdgeAgent(
        name="bench",
        zone="bench",
        host=HOST,
        port=port,
        directory=folder,
        redis_url=redis_url,
        unit_key=bytes(32),
    )
    directory = EdgeDirectory(folder)
    spool = Spool(directory.access_log)
    SpoolLoop(edge, Redis.from_url(redis_url), EnvoyAdmin(HOST, port, directory.admin), spool, EdgeStatus()).run(stop)


if __name__ == "__main__":
    told = Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    ship(Path(sys.argv[1]), sys.argv[2], told)
