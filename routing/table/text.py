"""The routing table as canonical text, and back."""

import json
from dataclasses import asdict
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from controlplane.problems.problem import HasProblem, Problem
from routing.table.access import Issuer
from routing.table.types import Backend, Endpoint, Table

Part = TypeVar("Part", Backend, Issuer, Endpoint)

_TABLE = TypeAdapter(Table)
_PARTS: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Backend, Issuer, Endpoint)}


class TableUnreadableError(HasProblem, ValueError):
    """The text is not a routing table."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        next_step = "Publish the table again from a control plane of the same release."
        self.problem = Problem("table-unreadable", "Not a routing table", detail, next_step)


def checked(part: Part) -> Part:
    """A part of a table, once it is sure that all its values are of their types and can be written as text.

    Raises:
        ValueError: one is not; also as `pydantic.ValidationError`.

    """
    kind = _PARTS[type(part)]
    found: Part = kind.validate_python(asdict(part))
    _canonical(kind.dump_python(found, mode="json")).encode()
    return found


def to_json(table: Table) -> str:
    """The canonical text of a table: equal tables give equal bytes.

    Raises:
        pydantic.ValidationError: a field holds a value of the wrong type.

    """
    return _canonical(_content(table))


def from_json(text: str | bytes) -> Table:
    """Read a table; it may still have `problems`.

    Raises:
        TableUnreadableError: the text is not JSON, or not of this shape.

    """
    try:
        return _TABLE.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the text"
        raise TableUnreadableError(f"This is not a routing table: {place}: {first['msg']}.") from error


def digest(table: Table) -> str:
    """SHA-256, in hexadecimal, of all that the table says apart from its version."""
    content = _content(table)
    del content["version"]
    return sha256(_canonical(content).encode()).hexdigest()


def _content(table: Table) -> dict[str, Any]:
    # Validating turns 0 into 0.0 where a float belongs: what is equal must have the same text.
    content: dict[str, Any] = _TABLE.dump_python(_TABLE.validate_python(asdict(table)), mode="json")
    return content


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
