"""What a file describes: things of each kind, each with its key, in the order in which they can be written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from controlplane.problems.errors import FieldProblem
from experiments.specs.kinds import Content, Kind, kinds
from experiments.specs.reading import Path, Place, Read, at, read_documents, unusable


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a file describes, and where."""

    kind: Kind
    key: str
    content: Content
    document: Read
    path: Path
    shown_path: Path
    """As problems name it: counted through all documents."""

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.document.place(self.path)


def read_items(content: bytes) -> list[Item]:
    """All that a file describes. Raises `InvalidInput` where its outline makes no sense."""
    problems: list[FieldProblem] = []
    found = [item for document in read_documents(content) for item in _items(document, problems)]
    if not found and not problems:
        problems.append(at(Place(1, 1), "", "The file describes nothing.", _names(kinds())))
    problems.extend(_twice(found))
    if problems:
        raise unusable(tuple(problems))
    return in_order(list(_numbered(found)))


def in_order(items: Sequence[Item]) -> list[Item]:
    """What others name before these."""
    return [item for kind in kinds().values() for item in _of_kind([each for each in items if each.kind is kind])]


def _of_kind(items: list[Item]) -> Iterator[Item]:
    """Those that name others of their kind after these, where that goes."""
    left = list(items)
    while left:
        keys = {item.key for item in left}
        ready = [item for item in left if not item.kind.keys_of_others(item.content) & (keys - {item.key})] or left
        yield from ready
        left = [item for item in left if item not in ready]


def _items(document: Read, problems: list[FieldProblem]) -> Iterator[Item]:
    if not isinstance(document.content, dict):
        problems.append(at(document.place(()), "", "A document has lists by kind.", _names(kinds())))
        return
    for name, things in document.content.items():
        if name not in kinds():
            problems.append(at(document.key_place((name,)), (name,), unknown(name, kinds()), _names(kinds())))
        elif not isinstance(things, list):
            problems.append(at(document.place((name,)), (name,), f"Give a list of {name}.", "a list"))
        else:
            for number, thing in enumerate(things):
                yield from _item(document, kinds()[name], (name, number), thing, problems)


def _item(document: Read, kind: Kind, path: Path, thing: Any, problems: list[FieldProblem]) -> Iterator[Item]:
    if not isinstance(thing, dict):
        problems.append(at(document.place(path), path, f"Describe {kind.noun} by its fields.", "an object"))
    elif not isinstance(thing.get("key"), str):
        place = document.place((*path, "key"))
        problems.append(at(place, (*path, "key"), "It needs a key.", "a text like chat-v2"))
    else:
        yield Item(kind, thing["key"], thing, document, path, path)


def _numbered(items: Sequence[Item]) -> Iterator[Item]:
    for kind in kinds().values():
        for number, item in enumerate(each for each in items if each.kind is kind):
            yield Item(kind, item.key, item.content, item.document, item.path, (kind.plural, number))


def _twice(items: Sequence[Item]) -> Iterator[FieldProblem]:
    seen: set[tuple[str, str]] = set()
    for item in items:
        name = (item.kind.plural, item.key)
        if name in seen:
            path = (*item.path, "key")
            message = f"The file describes the {item.kind.noun} {item.key} twice."
            yield at(item.document.place(path), path, message)
        seen.add(name)


def unknown(name: str, names: Sequence[str] | dict[str, Any]) -> str:
    """What is said of a name that is none, with the one that was probably meant."""
    close = get_close_matches(name, list(names), 1)
    return f"There is no such field; did you mean `{close[0]}`?" if close else "There is no such field."


def _names(names: Any) -> str:
    return f"one of {', '.join(names)}"
