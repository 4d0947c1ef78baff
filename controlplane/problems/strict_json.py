"""JSON of others, read so that whatever is in it can be stored, hashed, counted and sent on.

JSON can spell what is neither text nor number: halves of characters, infinity, integers without end. And it can be
nested or long without measure. None of it gets past here.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from controlplane.problems.errors import FieldProblem, InvalidInput
from controlplane.problems.request_limits import DEEPEST, MOST_ENTRIES, MOST_VALUES

UNREADABLE = "unreadable-body"

Place = tuple[str | int, ...]

_LARGEST_INTEGER = 2**63 - 1
_DIGITS = len(str(-_LARGEST_INTEGER))
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def read_json(content: bytes | str) -> Any:
    """The value that is encoded.

    Raises:
        InvalidInput: `unreadable-body` when it is no JSON in UTF-8, or nested or long without measure; `invalid-input`
            with every place that holds what cannot be used.

    """
    value = decode_json(content)
    problems = tuple(unusable_places(value))
    if problems:
        raise InvalidInput(
            "invalid-input",
            f"{count_fields(problems)} not usable: {problems[0].field}: {problems[0].message}",
            next_step="Correct what `problems` names and send it again.",
            problems=problems,
        )
    return value


def decode_json(content: bytes | str) -> Any:
    """The value that is encoded, whatever is in it. Raises `InvalidInput`, `unreadable-body`."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        return json.loads(text, parse_int=_integer, parse_constant=float)
    except UnicodeDecodeError as error:
        raise unreadable(f"It is not UTF-8: byte {error.start + 1} starts no character.") from error
    except json.JSONDecodeError as error:
        raise unreadable(f"It is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise _too_deep() from error


def unusable_places(value: object, path: Place = ()) -> Iterator[FieldProblem]:
    """Every place in a decoded value that holds what cannot be used.

    Raises `InvalidInput`, `unreadable-body`, when it is nested or long without measure.
    """
    return _Check().problems(value, path)


def count_fields(problems: tuple[FieldProblem, ...]) -> str:
    """How a sentence about fields begins."""
    return "One field is" if len(problems) == 1 else f"{len(problems)} fields are"


def unstorable(text: str) -> str:
    """What is wrong with a text that no database or log takes; empty when nothing is."""
    found = _NO_TEXT.search(text)
    return f"It holds U+{ord(found[0]):04X}, which no text may hold." if found else ""


def _integer(digits: str) -> int:
    """Enough of a number to see that it is too large; more would take long."""
    return int(digits[: _DIGITS + 1])


class _Check:
    """One walk over a value, which ends when there is too much of it."""

    def __init__(self) -> None:
        self._values = 0

    def problems(self, value: object, path: Place) -> Iterator[FieldProblem]:
        if isinstance(value, list | dict):
            yield from self._inner_problems(value, path)
        else:
            message = _wrong(value)
            if message:
                yield FieldProblem(_spelled(path), message)

    def _inner_problems(self, value: list[Any] | dict[str, Any], path: Place) -> Iterator[FieldProblem]:
        if len(path) >= DEEPEST:
            raise _too_deep()
        if len(value) > MOST_ENTRIES:
            yield FieldProblem(_spelled(path), f"Send at most {MOST_ENTRIES} entries; these are {len(value)}.")
            return
        self._count(len(value))
        for step, inner in _entries(value):
            if isinstance(step, str) and unstorable(step):
                yield FieldProblem(_spelled(path), f"The name of a field is not usable: {unstorable(step)}")
            else:
                yield from self.problems(inner, (*path, step))

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise unreadable(f"It holds more than {MOST_VALUES} values.")


def _entries(value: list[Any] | dict[str, Any]) -> Iterable[tuple[str | int, Any]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _wrong(value: object) -> str:
    if isinstance(value, str):
        return unstorable(value)
    if isinstance(value, int) and not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
        return "Send a whole number of at most 64 bits."
    if isinstance(value, float) and not abs(value) < float("inf"):
        return "Send a finite number."
    return ""


def _spelled(path: Place) -> str:
    return ".".join(map(str, path)) or "body"


def _too_deep() -> InvalidInput:
    return unreadable(f"It has more than {DEEPEST} lists and objects inside each other.")


def unreadable(detail: str) -> InvalidInput:
    """What is said of content that is no JSON to be read."""
    return InvalidInput(UNREADABLE, f"The JSON cannot be read. {detail}", next_step="Correct it and send it again.")
