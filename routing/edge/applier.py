"""Brings Envoy onto a routing table, so that no request meets a route whose backend is not there yet.

    clusters, old and new  ->  Envoy has them ready  ->  routes  ->  Envoy serves them  ->  clusters, new alone

Each step is a file that is replaced; whatever is killed in between, the same steps bring it to its end.
"""

import time
from collections.abc import Callable

from routing.edge.configuration import read_table, write_clusters, write_configuration, write_routes
from routing.edge.envoy_admin import EnvoyAdmin
from routing.edge.files import EdgeDirectory, write_text
from routing.table import Table, to_json

PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.003


class TableRefusedError(Exception):
    """Envoy does not take a table's configuration; it goes on with the one before."""


class NotYetError(Exception):
    """Envoy has not taken a table within the time that one attempt waits."""


class Applier:
    """One Envoy's files, and the table that it was last seen to serve."""

    def __init__(self, directory: EdgeDirectory, envoy: EnvoyAdmin) -> None:
        self._directory = directory
        self._envoy = envoy
        self.applied = read_table(directory)

    def apply(self, table: Table) -> None:
        """Bring Envoy onto this table, which has no problems, and keep it as the last one.

        Raises:
            TableRefusedError: Envoy refused it; the files are those of the table before.
            EnvoyAwayError, NotYetError: it is not done yet; call again.

        """
        try:
            self._load(table)
        except TableRefusedError:
            write_configuration(self._directory, self.applied)
            raise
        write_text(self._directory.table, to_json(table))
        self.applied = table
        write_clusters(self._directory, table)

    def _load(self, table: Table) -> None:
        refusals = self._envoy.loaded().refusals
        version = write_clusters(self._directory, table, before=self.applied)
        self._wait(table, refusals, lambda: self._envoy.loaded().clusters_ready_at == version)
        write_routes(self._directory, table)
        self._wait(table, refusals, lambda: self._envoy.served_version() == table.version)

    def _wait(self, table: Table, refusals: int, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            if self._envoy.loaded().refusals > refusals:
                raise TableRefusedError(f"Envoy refuses table {table.version}; its log says why.")
            if time.monotonic() > deadline:
                raise NotYetError(f"Envoy has not taken table {table.version} yet.")
            time.sleep(LOOK_SECONDS)
