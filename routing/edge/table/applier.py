"""Brings Envoy onto a routing table, so that no request meets a route whose backend is not there yet.

    clusters, old and new; gate  ->  Envoy has them ready  ->  routes  ->  Envoy serves them  ->  clusters, new alone

Each step is a file that is replaced; whatever is killed in between, the same steps bring it to its end. Where no
backend is new the routes come first, so that what only takes users away waits for nothing.
"""

import time
from collections.abc import Callable
from threading import Lock

from controlplane.problems.problem import Problem
from routing.edge.envoy.callable_backends import callable_here, hindered, read_secrets
from routing.edge.envoy.configuration import (
    NO_TABLE,
    as_served,
    clusters_are_new,
    clusters_differ,
    gates_differ,
    read_table,
    write_clusters,
    write_configuration,
    write_gate,
    write_routes,
)
from routing.edge.envoy.envoy_admin import EnvoyAdmin, Served
from routing.edge.state.files import EdgeDirectory, keep_text
from routing.edge.state.kept_cuts import Cuts
from routing.table import Table, reached, to_json

PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.001
LOOKS_PER_REFUSAL = 5


class TableRefusedError(Exception):
    """Envoy does not take a table's configuration; it goes on with the one before."""


class NotYetError(Exception):
    """Envoy has not taken a table within the time that one attempt waits."""


class Applier:
    """One Envoy's files, and the table that it was last seen to serve, whole. Two loops may call it."""

    def __init__(self, directory: EdgeDirectory, envoy: EnvoyAdmin, cuts: Cuts) -> None:
        self._directory = directory
        self._envoy = envoy
        self._cuts = cuts
        self._lock = Lock()
        self._secrets = read_secrets(directory)
        self._without_hosts: set[str] = set()
        self.applied = read_table(directory)

    def serves(self, table: Table) -> bool:
        """Whether this table was applied, and Envoy serves of it what it should, now.

        Raises:
            EnvoyAwayError: it does not answer.

        """
        return table == self.applied and self._envoy.served() == Served(table.version, self._as_served(table).cut)

    def hindrances(self, table: Table) -> tuple[Problem, ...]:
        """What keeps this edge from calling backends in reach of a table."""
        return tuple(hindered(self._directory, reached(table)).values())

    def callable_here(self, table: Table) -> Table:
        """The table with backends that cannot be called from here as they are applied, where those can be."""
        return callable_here(self._directory, table, self.applied)

    def renew_secrets(self) -> None:
        """Have backends called with what lies on this machine now."""
        secrets = read_secrets(self._directory)
        if secrets != self._secrets:
            with self._lock:
                self._write_clusters(self.applied)

    def apply(self, table: Table) -> None:
        """Bring Envoy onto this table, which has no problems, and keep it as the last one.

        Raises:
            TableRefusedError: Envoy refused it; the files are those of the table before.
            EnvoyAwayError, NotYetError, OSError: it is not done yet; call again.

        """
        with self._lock:
            exchanged = clusters_differ(table, self.applied)
            try:
                self._load(self._as_served(table))
            except TableRefusedError:
                write_configuration(self._directory, self._as_served(self.applied))
                raise
            keep_text(self._directory.table, to_json(table))
            self.applied = table
            self._cuts.forget_all_but(table)
            if exchanged or self._without_hosts != self._hindered(table):
                self._write_clusters(table)

    def apply_cuts(self) -> None:
        """Bring Envoy onto the applied table without what was cut meanwhile.

        Raises:
            TableRefusedError, EnvoyAwayError, NotYetError, OSError: it is not done; the follower does it later.

        """
        with self._lock:
            table = self._as_served(self.applied)
            write_routes(self._directory, table)
            self._await_routes(table, self._envoy.loaded().refusals)

    def _load(self, table: Table) -> None:
        refusals = self._envoy.loaded().refusals
        if clusters_are_new(table, self.applied) or self._without_hosts - self._hindered(table):
            version = self._write_clusters(table, before=self.applied)
            self._wait(table, refusals, lambda: self._envoy.loaded().clusters_ready_at == version)
        if gates_differ(table, self.applied):
            gate = write_gate(self._directory, table)
            self._wait(table, refusals, lambda: self._envoy.gate() == gate)
        write_routes(self._directory, table)
        self._await_routes(table, refusals)

    def _as_served(self, table: Table) -> Table:
        return as_served(self._directory, table, self._cuts)

    def _hindered(self, table: Table) -> set[str]:
        return {*hindered(self._directory, reached(table))}

    def _write_clusters(self, table: Table, before: Table = NO_TABLE) -> str:
        # Files that change while this is done are found changed once more.
        self._secrets, self._without_hosts = read_secrets(self._directory), self._hindered(table)
        return write_clusters(self._directory, table, before)

    def _await_routes(self, table: Table, refusals: int) -> None:
        self._wait(table, refusals, lambda: self._envoy.served() == Served(table.version, table.cut))

    def _wait(self, table: Table, refusals: int, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        looks = 0
        while not reached():
            looks += 1
            if looks % LOOKS_PER_REFUSAL == 0 and self._envoy.loaded().refusals > refusals:
                raise TableRefusedError(f"Envoy refuses table {table.version}; its log says why.")
            if time.monotonic() > deadline:
                raise NotYetError(f"Envoy has not taken table {table.version} yet.")
            time.sleep(LOOK_SECONDS)
