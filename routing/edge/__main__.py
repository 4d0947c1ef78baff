"""The agent's process: `python -m routing.edge`."""

import signal
import sys
from threading import Event

import structlog

from controlplane.settings import get_environment
from controlplane.settings.logs import configure_logging
from routing.edge.agent import EdgeAgent, run_agent

log = structlog.get_logger()

# The loop that follows the table waits this long at the most for the one that ships requests; Python's own is 5 ms.
SWITCH_SECONDS = 0.0005


def main() -> None:
    """Run the agent of this machine's edge until told to stop."""
    environment = get_environment()
    configure_logging(environment.log_level)
    edge = EdgeAgent(
        name=environment.edge_name,
        zone=environment.edge_zone,
        host=environment.edge_host,
        port=environment.edge_port,
        directory=environment.edge_directory,
        redis_url=environment.redis_url,
        unit_key=bytes.fromhex(environment.unit_key.get_secret_value()),
        secure=bool(environment.edge_certificate),
        labels=environment.edge_labels,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    log.info("agent started", edge=edge.name, directory=str(edge.directory))
    run_agent(edge, _stop_on_signals())
    log.info("agent stopped")


def _stop_on_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()
