"""Ports that an installation listens on."""

import socket
from urllib.parse import urlsplit

from controlplane.problems.errors import Conflict
from controlplane.settings import Environment
from controlplane.storage.redis_connections import LOOPBACK


def embedded_valkey_port(environment: Environment) -> int | None:
    """Port of the Valkey that comes with Sluice; None when the settings point at a server elsewhere."""
    address = urlsplit(environment.redis_url)
    return address.port or 6379 if address.hostname in LOOPBACK else None


def refuse_busy_ports(environment: Environment) -> None:
    """Raise `Conflict` when something listens where Sluice is about to."""
    wanted = {
        "SLUICE_WEB_PORT": environment.web_port,
        "SLUICE_EDGE_PORT": environment.edge_port,
        "SLUICE_REDIS_URL": embedded_valkey_port(environment),
    }
    for setting, port in wanted.items():
        if port is not None and _is_listening(port):
            raise Conflict(
                "port-busy",
                f"Port {port} is in use; perhaps Sluice is running already.",
                next_step=f"Stop what listens there, or choose another port with {setting}.",
            )


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
