"""What the command prints: words for people, or one JSON document; what is wrong goes beside it."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from sluice.problems import FieldProblem, Problem, Refused

_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(13, 32), *range(127, 160)))


class Output:
    """Prints to people or, with `as_json`, to programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._people = Console(emoji=False, markup=False, highlight=False, soft_wrap=True)
        self._beside = Console(stderr=True, emoji=False, markup=False, highlight=False, soft_wrap=True)

    def document(self, content: Any) -> None:
        """One JSON document on a line of its own."""
        sys.stdout.write(f"{json.dumps(_plain(content), ensure_ascii=False)}\n")
        sys.stdout.flush()

    def say(self, text: str, style: str = "") -> None:
        """A line for people."""
        if text and not self.as_json:
            self._people.print(clean(text), style=style)

    def note(self, text: str) -> None:
        """A line beside what is printed: what happens meanwhile."""
        self._beside.print(clean(text))

    def table(self, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Rows for people; each is whole where no terminal limits it."""
        table = Table(*heads, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*map(clean, row))
        self._people.print(table, soft_wrap=False, width=None if self._people.is_terminal else 400)

    def problem(self, problem: Problem) -> int:
        """What is wrong and what to do. Returns the exit code."""
        fields = problem.fields if isinstance(problem, Refused) else ()
        if self.as_json:
            words = {"code": problem.code, "detail": problem.detail, "next_step": problem.next_step}
            self.document({**words, "problems": [_told(each) for each in fields], "exit_code": int(problem.exit_code)})
        else:
            self._beside.print(clean(f"{problem.detail} ({problem.code})"), style="bold red")
            for each in fields if fields and fields[0].line else fields[1:]:
                self._beside.print(clean(_sentence(each)))
            self._beside.print(clean(problem.next_step))
        return int(problem.exit_code)


def _told(problem: FieldProblem) -> dict[str, Any]:
    named = {"field": problem.field, "message": problem.message}
    return named if problem.line is None else asdict(problem)


def _sentence(problem: FieldProblem) -> str:
    place = "" if problem.line is None else f"line {problem.line}, column {problem.column}: "
    allowed = f" Allowed: {problem.allowed}." if problem.allowed else ""
    return f"{place}{problem.field}: {problem.message}{allowed}"


def clean(text: str) -> str:
    """A text without what a terminal would obey."""
    return text.translate(_CONTROL)


def moment(text: datetime | str | None) -> str:
    """A moment as people read it; nothing for none."""
    if text is None:
        return ""
    found = datetime.fromisoformat(text) if isinstance(text, str) else text
    return found.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _plain(content: Any) -> Any:
    if is_dataclass(content) and not isinstance(content, type):
        content = asdict(content)
    if isinstance(content, dict):
        return {name: _plain(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return content.isoformat() if isinstance(content, datetime) else content
