"""Plain data changed in its place, as little as need be: whatever is right in it stays, with the comments beside it."""

from collections.abc import MutableMapping
from typing import Any

Fields = MutableMapping[str, Any]


def merge(written: Fields, meant: Fields, present: Fields) -> None:
    """Bring what is written in line with what is present; `meant` is what it stands for, with every default.

    >>> file = {"a": 1, "b": {"c": 2}}
    >>> merge(file, {"a": 1, "b": {"c": 2, "d": 3}}, {"a": 5, "b": {"c": 2, "d": 3}})
    >>> file
    {'a': 5, 'b': {'c': 2}}
    """
    for name in [name for name in written if name not in present]:
        del written[name]
    for name, value in present.items():
        if name not in meant or meant[name] != value:
            written[name] = _changed(written.get(name), meant.get(name), value)


def _changed(written: Any, meant: Any, present: Any) -> Any:
    match written, meant, present:
        case MutableMapping(), MutableMapping(), MutableMapping():
            merge(written, meant, present)
            return written
        case list(), list(), list():
            return _changed_list(written, meant, present)
    return present


def _changed_list(written: list[Any], meant: list[Any], present: list[Any]) -> list[Any]:
    for number, (one, value) in enumerate(zip(meant, present, strict=False)):
        if one != value:
            written[number] = _changed(written[number], one, value)
    del written[len(present) :]
    written.extend(present[len(written) :])
    return written
