"""How what a file describes differs from what there is, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what it is, and what it would be; None where there is nothing."""

    field: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Each innermost field that differs; lists of another length differ as a whole.

    >>> [found.field for found in differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})]
    ['a.c']
    """
    pairs = _pairs(before, after)
    if pairs is None:
        if before != after:
            yield Difference(path, before, after)
        return
    for name, (one, other) in pairs.items():
        yield from differences(one, other, f"{path}.{name}".strip("."))


def _pairs(before: Any, after: Any) -> dict[str | int, tuple[Any, Any]] | None:
    """What is compared one by one."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return {name: (before.get(name), after.get(name)) for name in {**before, **after}}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return dict(enumerate(zip(before, after, strict=True)))
    return None
