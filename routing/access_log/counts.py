"""Counts of requests by where they went: what Envoy counted, and what became rows."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

COUNTER = re.compile(
    r"sluice\.rows\.run\.(?P<run>.*)\.backend\.(?P<backend>.*)\.experiment\.(?P<experiment>.*)"
    r"\.variant\.(?P<variant>[^.]*): (?P<count>\d+)"
)
KEPT_RUNS = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from: a run of Envoy, a backend and, where one was measured or copied, an experiment's arm."""

    run: str
    backend: str
    experiment: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What Envoy has logged since its start, by origin, and how often it could not write its log."""

    rows: Mapping[Origin, int]
    failed_writes: int

    @property
    def run(self) -> str:
        """The run that it is of; empty before the first request."""
        return next((origin.run for origin in self.rows), "")


def read_counted(lines: Iterable[str]) -> Counted:
    """Envoy's statistics, one a line."""
    rows: dict[Origin, int] = {}
    failed = 0
    for line in lines:
        found = COUNTER.fullmatch(line)
        if found:
            rows[Origin(found["run"], found["backend"], found["experiment"], found["variant"])] = int(found["count"])
        elif line.startswith("filesystem.write_failed: "):
            failed = int(line.rpartition(" ")[2])
    return Counted(rows, failed)


@dataclass(slots=True)
class Tally:
    """Rows that were made of the log, by origin: of requests that ended until `cut`, and of later ones.

    `whole` says that it knows of all rows of its runs; a part may be missing where Redis has lost what it held.
    """

    before: Counter[Origin] = field(default_factory=Counter)
    after: Counter[Origin] = field(default_factory=Counter)
    cut: float = 0.0
    whole: bool = True

    def count(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take rows in."""
        for row in rows:
            origin = Origin(row["run"], row["backend"], row["experiment"] or "", row["variant"] or "")
            (self.before if _ended_at(row) <= self.cut else self.after)[origin] += 1

    def cut_at(self, moment: float) -> None:
        """Begin to tell apart what ends until this moment, which is not before now, from what ends later."""
        self.before += self.after
        self.after.clear()
        self.cut = moment

    def trust(self, counted: Counted) -> None:
        """Take it that all that Envoy counted has become rows, where that is not known."""
        for origin, count in counted.rows.items():
            self.before[origin] = max(self.before[origin], count)
        self.whole = True

    def copy(self) -> "Tally":
        """One that can be changed alone."""
        return Tally(self.before.copy(), self.after.copy(), self.cut, self.whole)

    def to_json(self) -> str:
        """The totals of the latest runs, as they outlive the agent."""
        totals = self.before + self.after
        runs = list(dict.fromkeys(origin.run for origin in totals))[-KEPT_RUNS:]
        return _TOTALS.dump_json([(origin, count) for origin, count in totals.items() if origin.run in runs]).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Tally":
        """Raises `ValueError` when the text is none."""
        return cls(before=Counter(dict(_TOTALS.validate_json(text))))


_TOTALS = TypeAdapter(list[tuple[Origin, int]])


def _ended_at(row: Mapping[str, Any]) -> float:
    """In seconds since the epoch; of a row whose time is none, long ago."""
    try:
        return datetime.fromisoformat(row["time"]).timestamp() + float(row["duration_ms"]) / 1000
    except ValueError:
        return 0.0
