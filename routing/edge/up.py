"""An edge on a machine of its own: `python -m routing.edge.up`, with the settings in the environment.

It needs nothing of the rest of Sluice but its Redis. Envoy and the agent run as siblings under supervisord.
"""

import os
import sys
from pathlib import Path

from controlplane.settings import Environment, get_environment
from routing.edge.prepare import prepare
from routing.envoy import Certificate

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "edge.conf"


def certificate(environment: Environment) -> Certificate | None:
    """The certificate that users are met with; None where they come without TLS."""
    if not environment.edge_certificate:
        return None
    return Certificate(environment.edge_certificate, environment.edge_private_key)


def main() -> None:
    """Prepare the edge's folder, and become the supervisor of its two processes."""
    environment = get_environment()
    logs = environment.data_directory / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepare(
        environment.edge_directory,
        name=environment.edge_name,
        host=environment.edge_host,
        port=environment.edge_port,
        certificate=certificate(environment),
    )
    os.environ |= {
        "SLUICE_ROOT": str(ROOT),
        "SLUICE_DATA_DIRECTORY": str(environment.data_directory),
        "SLUICE_LOGS": str(logs),
        "SLUICE_PYTHON": sys.executable,
        "SLUICE_EDGE": str(environment.edge_directory),
    }
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(CONFIGURATION)]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
