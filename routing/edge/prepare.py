"""What an edge needs on disk before Envoy's first start, so that it starts without Redis and without a table."""

from pathlib import Path

from controlplane.settings.open_files import raise_open_files
from routing.edge.envoy.configuration import as_served, read_table, write_configuration
from routing.edge.state.files import EdgeDirectory, write_json
from routing.edge.state.kept_cuts import Cuts
from routing.edge.state.memory import remove_what_ended_edges_left
from routing.edge.state.spool import Spool
from routing.envoy import Certificate, bootstrap
from routing.envoy.bootstrap import MOST_CONNECTIONS


def prepare(
    directory: Path, *, name: str, host: str, port: int, certificate: Certificate | None = None
) -> EdgeDirectory:
    """Write Envoy's files: its bootstrap, and clusters and routes of the last table that was served here.

    Safe to repeat while neither Envoy nor the agent runs. User traffic comes in at `host` and `port`, by TLS
    where there is a certificate; Envoy's admin interface is a socket of the folder's own.
    """
    edge = EdgeDirectory(directory)
    remove_what_ended_edges_left()
    Spool(edge.access_log).prepare()
    content = bootstrap(
        name=name,
        host=host,
        port=port,
        files=edge.for_envoy(),
        certificate=certificate,
        # Each client's connection may need another one to a backend.
        connections=min(raise_open_files() // 2, MOST_CONNECTIONS),
    )
    write_json(edge.bootstrap, content)
    write_configuration(edge, as_served(edge, read_table(edge), Cuts(edge.cuts)))
    return edge
