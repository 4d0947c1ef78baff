"""Files of specs: YAML 1.2 or JSON, read so that each value is known by the line and column where it stands."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from controlplane.problems.errors import FieldProblem, InvalidInput, TooLarge
from controlplane.problems.request_limits import DEEPEST, MOST_VALUES
from controlplane.problems.strict_json import unstorable

LARGEST_FILE = 524_288
"""Bytes: 512 KiB, which take some seconds to read."""

CORRECT = "Correct the file and send it again."
_PLAIN = "tag:yaml.org,2002:"
_LARGEST_INTEGER = 2**63 - 1
_DIGITS = len(str(-_LARGEST_INTEGER))
_TEXTS = {f"{_PLAIN}str", f"{_PLAIN}timestamp"}
_BROKEN = (YAMLError, AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What ruamel.yaml raises for files that make no sense."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Read:
    """The values of one document of a file, from 0, and where each key and each value stands."""

    number: int
    content: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """Where the value stands, or what is nearest around it."""
        return next(self.values[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in self.values)

    def key_place(self, path: Path) -> Place:
        """Where the key of an entry stands, or what is nearest around it."""
        return self.keys.get(path) or self.place(path)


def read_documents(content: bytes) -> tuple[Read, ...]:
    """The documents of a file, but for empty ones.

    Raises `TooLarge`, and `InvalidInput` with the place where the file is no YAML, or holds what cannot be used.
    """
    if len(content) > LARGEST_FILE:
        detail = f"The file has more than {LARGEST_FILE} bytes."
        raise TooLarge("spec-too-large", detail, next_step="Divide it into several files.")
    text = _without_tabs(_decoded(content))
    walk = _Walk()
    found = tuple(walk.document(number, node) for number, node in enumerate(_nodes(text)))
    if walk.problems:
        raise unusable(tuple(walk.problems))
    return tuple(document for document in found if document.content is not None)


def unusable(problems: tuple[FieldProblem, ...], code: str = "spec-unusable") -> InvalidInput:
    """The refusal of a file; its sentence is about the first of the problems."""
    return InvalidInput(code, sentence(problems), next_step=CORRECT, problems=problems)


def sentence(problems: tuple[FieldProblem, ...]) -> str:
    """Where the first problem is, what it is, and how many there are beside it."""
    first = problems[0]
    others = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return f"Line {first.line}, column {first.column}: {first.field}: {first.message}{others}"


def at(place: Place, path: Path | str, message: str, allowed: str = "") -> FieldProblem:
    """What is wrong at a place."""
    spelled = path if isinstance(path, str) else ".".join(map(str, path))
    return FieldProblem(spelled or "file", message, line=place.line, column=place.column, allowed=allowed)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        raise unusable((at(_end_of(before), "", "It is not UTF-8."),), "spec-unreadable") from error


def _without_tabs(text: str) -> str:
    """JSON may be indented by tabs, which YAML takes for no indentation; the columns stay."""
    return text.replace("\t", " ") if text.lstrip()[:1] in ("{", "[") else text


def _nodes(text: str) -> Iterator[Node | None]:
    yaml = YAML(typ="rt", pure=True)
    try:
        yield from yaml.compose_all(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else _end_of(text)
        raise _no_yaml(place, error.problem or error.context or "it cannot be read") from error
    except ReaderError as error:
        raise _no_yaml(_end_of(text[: error.position]), "it holds a character that no text may hold") from error
    except RecursionError as error:
        raise _no_yaml(Place(1, 1), "too many lists and objects inside each other") from error
    except _BROKEN as error:
        raise _no_yaml(_end_of(text), "it cannot be read up to its end") from error


def _no_yaml(place: Place, why: str) -> InvalidInput:
    message = f"This is not YAML: {' '.join(why.split()).rstrip('.')}."
    return unusable((at(place, "", message),), "spec-unreadable")


def _end_of(text: str) -> Place:
    lines = text.split("\n")
    return Place(len(lines), len(lines[-1]) + 1)


@dataclass(slots=True)
class _Walk:
    """From nodes to values, up to as many as are read."""

    problems: list[FieldProblem] = field(default_factory=list)
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    count: int = 0

    def document(self, number: int, node: Node | None) -> Read:
        self.values, self.keys = {}, {}
        content = None if node is None else self.value(node, ())
        self.values.setdefault((), Place(1, 1))
        return Read(number, content, self.values, self.keys)

    def value(self, node: Node, path: Path) -> Any:
        place = self.values[path] = _start(node)
        self.count += 1
        if self.count > MOST_VALUES:
            raise unusable((at(place, path, f"The file holds more than {MOST_VALUES} values."),))
        if len(path) > DEEPEST:
            raise unusable((at(place, path, f"There are more than {DEEPEST} lists and objects inside each other."),))
        match node:
            case MappingNode() if str(node.tag) == f"{_PLAIN}map":
                return self.mapping(node, path)
            case SequenceNode() if str(node.tag) == f"{_PLAIN}seq":
                return [self.value(each, (*path, number)) for number, each in enumerate(node.value)]
            case _:
                return self.scalar(node, path, place)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag not in _TEXTS:
                self.problems.append(at(_start(key), path, "A name of a field is a text."))
                continue
            name = _joined(key.value)
            self.keys[*path, name] = _start(key)
            if name in found:
                self.problems.append(at(_start(key), (*path, name), "It is there twice."))
            found[name] = self.value(value, (*path, name))
        return found

    def scalar(self, node: Node, path: Path, place: Place) -> Any:
        value, wrong = _scalar(str(node.tag), _joined(node.value) if isinstance(node, ScalarNode) else "")
        if wrong:
            self.problems.append(at(place, path, wrong))
        return value


def _scalar(tag: str, text: str) -> tuple[Any, str]:
    """A value, and what is wrong with it."""
    if tag in _TEXTS:
        return text, unstorable(text)
    match tag.removeprefix(_PLAIN):
        case "null":
            return None, ""
        case "bool":
            return text.lower() == "true", ""
        case "int":
            return _integer(text)
        case "float":
            return _float(text)
    return None, f"Values with the tag {tag} are not read; write a text, a number, true, false or null."


def _integer(text: str) -> tuple[int | None, str]:
    try:
        base = 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10
        value = int(text if base == 0 else text[: _DIGITS + 1], base)
    except ValueError:
        return None, "This is no whole number; a text needs quotes."
    return value, "" if abs(value) <= _LARGEST_INTEGER else "Give a whole number of at most 64 bits."


def _float(text: str) -> tuple[float | None, str]:
    try:
        value = float(text.replace(".inf", "inf").replace(".nan", "nan").replace(".NaN", "nan"))
    except ValueError:
        return None, "This is no number; a text needs quotes."
    return value, "" if math.isfinite(value) else "Give a finite number."


def _joined(text: str) -> str:
    """JSON spells some characters as two halves."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text


def _start(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
