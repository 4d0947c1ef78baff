"""Checks of what an edge sets of requests."""

import re
from collections.abc import Iterator

from controlplane.problems.problem import Problem
from routing.table.problems.repeated_names import RESERVED_HEADERS
from routing.table.types import Parameters

_HEADER = re.compile(r"[a-z0-9_.-]+", re.IGNORECASE)
_OF_THE_MESSAGE = (
    "host",
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
"""Headers that say where a request goes or where it ends: with others it would be another request, or two."""


def parameter_problems(parameters: Parameters, owner: str) -> Iterator[Problem]:
    """Headers and query parameters that nobody may set, or that Envoy could not write."""
    headers = [("header", name) for name, value in parameters.headers if not may_set_header(name, value)]
    query = [("query parameter", name) for name, value in parameters.query if not may_set_query(name, value)]
    for what, name in headers + query:
        yield Problem(
            "parameter-invalid",
            f"Bad {what}",
            f"{owner} sets the {what} {name!r}.",
            f"Name a {what} that the backend reads, and a value of printable characters.",
        )


def may_set_header(name: str, value: str) -> bool:
    """Whether an edge may set this header to this value."""
    reserved = name.lower() in _OF_THE_MESSAGE or name.lower().startswith(RESERVED_HEADERS)
    return bool(_HEADER.fullmatch(name)) and not reserved and value.isprintable()


def may_set_query(name: str, value: str) -> bool:
    """Whether an edge may set this query parameter to this value."""
    return bool(name) and (name + value).isprintable()
