"""What keeps an edge from serving a table, each with a code, a sentence and what to do next."""

from collections.abc import Iterator

from controlplane.problems.problem import Problem
from routing.table.problems.backends import backend_problems
from routing.table.problems.endpoints import endpoint_problems
from routing.table.problems.entrances import access_problems
from routing.table.problems.experiments import experiment_problems
from routing.table.problems.repeated_names import repeated
from routing.table.problems.rules import rule_problems
from routing.table.types import Table


def problems(table: Table) -> tuple[Problem, ...]:
    """Everything that keeps an edge from serving this table; empty when it can."""
    checks = (
        _table_problems,
        backend_problems,
        endpoint_problems,
        access_problems,
        rule_problems,
        experiment_problems,
    )
    return tuple(problem for check in checks for problem in check(table))


def _table_problems(table: Table) -> Iterator[Problem]:
    if table.version < 0:
        yield Problem(
            "version-invalid",
            "Bad version",
            f"Version {table.version} is below zero.",
            "Publish with a higher one.",
        )
    experiments = [experiment.key for endpoint in table.endpoints for experiment in endpoint.experiments]
    yield from repeated("endpoint", (endpoint.key for endpoint in table.endpoints))
    yield from repeated("backend", (backend.key for backend in table.backends))
    yield from repeated("experiment", experiments)
