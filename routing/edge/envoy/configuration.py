"""Envoy's files of one edge, and the table that they were made from.

The table is what lasts: before each start of Envoy its files are made from it again (`catching_up.py`), so that they
need not be on the disk before Envoy reads them.
"""

from dataclasses import replace

import structlog

from controlplane.problems.problem import Problem
from routing.edge.state.files import EdgeDirectory, kept_text, write_json
from routing.envoy import clusters, gate_discoveries, routes, shadow_routes
from routing.envoy.names import Message
from routing.installed_envoy import certificate_authorities
from routing.table import Table, TableUnreadableError, from_json, problems, reached

log = structlog.get_logger()

# Where Linux distributions keep them, also when Python's OpenSSL was built to look elsewhere.

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
    authorities, secrets = certificate_authorities(), read_secrets(directory)
    content = clusters(_in_reach(table), retiring=reached(before), certificates=authorities, secrets=secrets)
    write_json(directory.clusters, content, durable=False)
    version: str = content["version_info"]
    return version


def read_secrets(directory: EdgeDirectory) -> dict[str, str]:
    """What backends are called with, by the names of the files; line ends at the end do not count."""
    if not directory.credentials.is_dir():
        return {}
    return {path.name: path.read_text().rstrip("\r\n") for path in directory.credentials.iterdir() if path.is_file()}


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


def hindrances(directory: EdgeDirectory, table: Table) -> tuple[Problem, ...]:
    """What keeps this edge from serving a table: the table's own problems, and what is missing here."""
    return problems(table) or (*_missing_authorities(table), *_missing_secrets(directory, table))


def _missing_authorities(table: Table) -> tuple[Problem, ...]:
    secure = [backend.key for backend in table.backends if backend.addresses[0].lower().startswith("https:")]
    return _no_authorities(secure) if secure and not certificate_authorities() else ()


def _missing_secrets(directory: EdgeDirectory, table: Table) -> tuple[Problem, ...]:
    known = read_secrets(directory)
    return tuple(
        Problem(
            "credential-missing",
            "No credential",
            f"Backend {backend.key} is called with {backend.credential.secret}, which this edge does not have.",
            f"Write it to {directory.credentials / backend.credential.secret} on the edge.",
        )
        for backend in table.backends
        if backend.credential is not None and not known.get(backend.credential.secret)
    )


def _no_authorities(backends: list[str]) -> tuple[Problem]:
    return (
        Problem(
            "certificate-authorities-missing",
            "No certificate authorities",
            f"This machine has none to check {', '.join(backends)} against, which use https.",
            "Install the system's CA certificates, or name a file of them in SSL_CERT_FILE.",
        ),
    )
