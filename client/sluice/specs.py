"""Files that describe backends, endpoints, metrics and experiments: what they would change, and what there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.connection import Connection

YAML = "application/yaml"
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A field: what it is, None where there is nothing yet, and what it would be."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one thing of a file: `action` is create, change or none; and whom that touches.

    `experiments` have not ended, and come with their states; `requests` are those that came to the endpoints in the
    last hour, None where nobody can tell.
    """

    kind: str
    key: str
    action: str
    line: int
    differences: tuple[Difference, ...]
    endpoints: tuple[str, ...]
    experiments: tuple[tuple[str, str], ...]
    requests: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file changes; `may_apply` says whether the token's role suffices for that."""

    changed: bool
    may_apply: bool
    changes: tuple[Change, ...]


def planned(connection: Connection, content: bytes) -> Mapping[str, Any]:
    """What applying a file would change. Raises `Refused` and `Unreachable`."""
    found: Mapping[str, Any] = connection.call("POST", "specs/plan", content=content, seconds=SECONDS).content
    return found


def applied(connection: Connection, content: bytes) -> Mapping[str, Any]:
    """What applying a file changed. Raises as `planned` does."""
    found: Mapping[str, Any] = connection.write("specs/apply", content=content, seconds=SECONDS).content
    return found


def export(connection: Connection, only: Sequence[str]) -> str:
    """What there is as YAML, or of that what is asked for."""
    return connection.text("GET", "specs/export", YAML, query={"only": list(only)}, seconds=SECONDS)


def refresh(connection: Connection, content: bytes) -> str:
    """A file brought up to what there is."""
    return connection.text("POST", "specs/export", YAML, content=content, seconds=SECONDS)


def read_changes(content: Mapping[str, Any]) -> Changes:
    """Changes as they were sent. Raises `KeyError` and `TypeError` for what are none."""
    return Changes(content["changed"], content["may_apply"], tuple(map(_change, content["changes"])))


def _change(content: Mapping[str, Any]) -> Change:
    return Change(
        kind=content["kind"],
        key=content["key"],
        action=content["action"],
        line=content["line"],
        differences=tuple(Difference(each["field"], each["before"], each["after"]) for each in content["differences"]),
        endpoints=tuple(content["endpoints"]),
        experiments=tuple((each["key"], each["state"]) for each in content["experiments"]),
        requests=content["requests"],
    )
