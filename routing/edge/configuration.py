"""Envoy's files of one edge, and the table that they were made from."""

import ssl
from pathlib import Path

import structlog

from routing.edge.files import EdgeDirectory, write_json
from routing.envoy import clusters, routes, shadow_routes
from routing.table import Problem, Table, TableUnreadableError, from_json, problems

log = structlog.get_logger()

# Where Linux distributions keep them, also when Python's OpenSSL was built to look elsewhere.
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)

NO_TABLE = Table(version=0, endpoints=(), backends=())


def read_table(directory: EdgeDirectory) -> Table:
    """The last table that was served here; an empty one of version 0 when there is none."""
    try:
        return from_json(directory.table.read_bytes())
    except FileNotFoundError:
        return NO_TABLE
    except TableUnreadableError as error:
        log.warning("table on disk left aside", reason=error.problem.detail)
        return NO_TABLE


def write_configuration(directory: EdgeDirectory, table: Table) -> None:
    """Write clusters and routes of one table."""
    write_clusters(directory, table)
    write_routes(directory, table)


def write_routes(directory: EdgeDirectory, table: Table) -> None:
    """Write a table's routes; those of copies first, so that no copy comes before its route."""
    write_json(directory.shadows, shadow_routes(table))
    write_json(directory.routes, routes(table))


def write_clusters(directory: EdgeDirectory, table: Table, before: Table = NO_TABLE) -> str:
    """Write a table's clusters beside those of the table before; returns the version that Envoy reports then."""
    content = clusters(table, retiring=before.backends, certificates=certificate_authorities())
    write_json(directory.clusters, content)
    version: str = content["version_info"]
    return version


def hindrances(table: Table) -> tuple[Problem, ...]:
    """What keeps this edge from serving a table: the table's own problems, and what is missing here."""
    secure = [backend.key for backend in table.backends if backend.addresses[0].lower().startswith("https:")]
    return problems(table) or (_no_authorities(secure) if secure and not certificate_authorities() else ())


def certificate_authorities() -> str:
    """Path of the system's certificate authorities, or of those in SSL_CERT_FILE; empty when there are none."""
    usual = ssl.get_default_verify_paths().cafile
    return usual or next((path for path in AUTHORITIES if Path(path).exists()), "")


def _no_authorities(backends: list[str]) -> tuple[Problem]:
    return (
        Problem(
            "certificate-authorities-missing",
            "No certificate authorities",
            f"This machine has none to check {', '.join(backends)} against, which use https.",
            "Install the system's CA certificates, or name a file of them in SSL_CERT_FILE.",
        ),
    )
