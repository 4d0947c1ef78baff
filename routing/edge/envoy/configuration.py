"""Envoy's files of one edge, and the table that they were made from.

The table is what lasts: before each start of Envoy its files are made from it again (`catching_up.py`), so that they
need not be on the disk before Envoy reads them.
"""

from dataclasses import replace

import structlog

from routing.edge.envoy.callable_backends import hindered, hindered_arms, read_secrets, without_hindered_shadows
from routing.edge.state.files import EdgeDirectory, kept_text, write_json
from routing.edge.state.kept_cuts import Cuts
from routing.envoy import clusters, gate_discoveries, routes, shadow_routes
from routing.envoy.names import Message
from routing.installed_envoy import certificate_authorities
from routing.table import Table, TableUnreadableError, from_json, reached

log = structlog.get_logger()

NO_TABLE = Table(version=0, endpoints=(), backends=())


def read_table(directory: EdgeDirectory) -> Table:
    """The last table that was served here; an empty one of version 0 when there is none."""
    try:
        return from_json(kept_text(directory.table))
    except FileNotFoundError:
        return NO_TABLE
    except TableUnreadableError as error:
        log.warning("table on disk left aside", reason=error.detail)
        return NO_TABLE


def as_served(directory: EdgeDirectory, table: Table, cuts: Cuts) -> Table:
    """A table without the arms that were cut, and without arms and shadows that cannot be called from here."""
    return without_hindered_shadows(directory, cuts.apply(table, hindered_arms(directory, table)))


def write_configuration(directory: EdgeDirectory, table: Table) -> None:
    """Write clusters, routes and who may call of one table."""
    write_clusters(directory, table)
    write_gate(directory, table)
    write_routes(directory, table)


def write_gate(directory: EdgeDirectory, table: Table) -> dict[str, str]:
    """Write who may call and how often; returns the versions that Envoy reports then, by filter."""
    found = gate_discoveries(table)
    for name, content in found.items():
        write_json(directory.gate(name), content, durable=False)
    return {name: content["version_info"] for name, content in found.items()}


def write_routes(directory: EdgeDirectory, table: Table) -> None:
    """Write a table's routes; those of copies first, so that no copy comes before its route."""
    write_json(directory.shadows, shadow_routes(table), durable=False)
    write_json(directory.routes, routes(table), durable=False)


def write_clusters(directory: EdgeDirectory, table: Table, before: Table = NO_TABLE) -> str:
    """Write the clusters in reach of a table beside those of the one before; returns the version Envoy reports then."""
    retiring, wanted = reached(before), _in_reach(table)
    backends = {backend.key: backend for backend in (*retiring, *wanted.backends)}
    content = clusters(
        wanted,
        retiring=retiring,
        certificates=certificate_authorities(),
        secrets=read_secrets(directory),
        without_hosts=frozenset(hindered(directory, backends.values())),
    )
    write_json(directory.clusters, content, durable=False)
    version: str = content["version_info"]
    return version


def clusters_differ(table: Table, before: Table) -> bool:
    """Whether Envoy needs other clusters for a table than for the one before."""
    return _clusters(table) != _clusters(before)


def clusters_are_new(table: Table, before: Table) -> bool:
    """Whether Envoy needs a cluster for a table that it does not have, or has otherwise, from the one before."""
    there = _clusters(before)
    return any(cluster not in there for cluster in _clusters(table))


def _clusters(table: Table) -> list[Message]:
    found: list[Message] = clusters(_in_reach(table))["resources"]
    return found


def _in_reach(table: Table) -> Table:
    return replace(table, backends=reached(table))


def gates_differ(table: Table, before: Table) -> bool:
    """Whether others may call, or more often, than by the table before."""
    return gate_discoveries(table) != gate_discoveries(before)
