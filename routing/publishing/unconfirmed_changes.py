"""Edges on which the users of an experiment may still be divided as they were before."""

from collections.abc import Iterable, Iterator

import structlog

from controlplane.problems.problem import Problem
from routing.models import RoutingTable
from routing.publishing.confirmation import ServingEdge, read_confirmation
from routing.table import Table, TableUnreadableError, from_json

NEXT_STEP = (
    "Check that its Envoy and its agent run, or retire it if it is gone for good. Until then only stopping a "
    "candidate's backend takes users there from it."
)

log = structlog.get_logger(__name__)


def unconfirmed_changes(experiment: str) -> list[Problem]:
    """One for each edge that serves another table than it is told, if these differ in this experiment."""
    found = read_confirmation()
    if not found.missing:
        return []
    tables = dict(_tables({found.version, *(edge.version for edge in found.missing)}))
    told = _of(tables.get(found.version), experiment)
    return [
        _problem(edge, found.version)
        for edge in found.missing
        if edge.version not in tables or _of(tables[edge.version], experiment) != told
    ]


def _problem(edge: ServingEdge, version: int) -> Problem:
    serves = f"it last said that it serves table {edge.version}" if edge.version else "it does not say what it serves"
    heard = ", and is not heard from any more" if edge.silent else ""
    detail = (
        f"Edge {edge.name} has not confirmed routing table {version}: {serves}{heard}. Its users may still get what "
        "they had before."
    )
    return Problem.of("edge-unconfirmed", detail, NEXT_STEP)


def _tables(versions: Iterable[int]) -> Iterator[tuple[int, Table]]:
    """Those that were recorded and can be read, by version."""
    for row in RoutingTable.objects.filter(version__in=versions):
        try:
            yield row.version, from_json(row.content)
        except TableUnreadableError as error:
            log.warning("table left aside", version=row.version, reason=error.detail)


def _of(table: Table | None, experiment: str) -> list[object]:
    """All that a table says of an experiment; nothing where it is not known."""
    endpoints = table.endpoints if table else ()
    split = [(endpoint.key, one) for endpoint in endpoints for one in endpoint.experiments if one.key == experiment]
    copied = [(endpoint.key, one) for endpoint in endpoints for one in endpoint.shadows if one.experiment == experiment]
    return [*split, *copied]
