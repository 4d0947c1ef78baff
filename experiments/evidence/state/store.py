"""The file that keeps an experiment's totals: by unit, what each step from one start to the next adds to them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

ABSENT, IN_TWO_ARMS = -2, -1
"""In place of the number of a unit's arm."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS sums (one INTEGER PRIMARY KEY CHECK (one = 1), content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS units (
    unit INTEGER PRIMARY KEY,
    arm INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    steps BLOB NOT NULL
);
"""
SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",
    # Whoever is erased is so on the disk too.
    "PRAGMA secure_delete = ON",
)
WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class UnitSteps:
    """Units with their arms, by number, the times of their newest requests and of the newest that failed, and steps.

    Times are in microseconds, 0 where there is none. `steps` has one row a step: the unit's place in `units`, the
    step's start in microseconds, and what it adds to each total.
    """

    units: Whole
    arms: Whole
    newest: Whole
    failed: Whole
    steps: Whole

    @property
    def failed_last(self) -> NDArray[np.bool_]:
        """Of each unit, whether its newest request was not answered."""
        found: NDArray[np.bool_] = (self.failed == self.newest) & (self.failed > 0) & (self.arms >= 0)
        return found


class Store:
    """What the file holds, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def sums(self) -> str | None:
        """What was written of the sums."""
        row = self._connection.execute("SELECT content FROM sums").fetchone()
        return None if row is None else str(row[0])

    def write_sums(self, content: str) -> None:
        """In place of what was."""
        self._connection.execute("INSERT OR REPLACE INTO sums VALUES (1, ?)", (content,))

    def clear(self) -> None:
        """Forget all."""
        self._connection.execute("DELETE FROM sums")
        self._connection.execute("DELETE FROM units")

    def read(self, units: Whole, totals: int) -> UnitSteps:
        """These units, which are distinct, as they are kept with so many totals."""
        found = self._connection
        found.execute("CREATE TEMP TABLE IF NOT EXISTS asked (place INTEGER PRIMARY KEY, unit INTEGER NOT NULL)")
        found.execute("DELETE FROM asked")
        found.executemany("INSERT INTO asked VALUES (?, ?)", enumerate(units.tolist()))
        known = "SELECT place, arm, newest, failed, steps FROM asked JOIN units USING (unit) ORDER BY place"
        rows = found.execute(known).fetchall()
        arms, newest, failed = (np.full(len(units), nothing, np.int64) for nothing in (ABSENT, 0, 0))
        places = np.array([place for place, *_ in rows], np.int64)
        for values, column in ((arms, 1), (newest, 2), (failed, 3)):
            values[places] = [row[column] for row in rows]
        kept = np.frombuffer(b"".join(steps for *_, steps in rows), np.int64).reshape(-1, 1 + totals)
        owners = np.repeat(places, [len(steps) // (8 * (1 + totals)) for *_, steps in rows])
        return UnitSteps(units, arms, newest, failed, np.column_stack([owners, kept]))

    def write(self, found: UnitSteps) -> None:
        """In place of what was kept of these units; their steps are in the order of their places."""
        ends = np.searchsorted(found.steps[:, 0], np.arange(len(found.units)), side="right").tolist()
        content = np.ascontiguousarray(found.steps[:, 1:])
        width = content.itemsize * content.shape[1]
        parts = _parts(ends, memoryview(content.tobytes()), width)
        columns = (column.tolist() for column in (found.units, found.arms, found.newest, found.failed))
        rows = zip(*columns, parts, strict=True)
        self._connection.executemany("INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?, ?)", rows)


def _parts(ends: Sequence[int], content: memoryview, width: int) -> Iterator[memoryview]:
    begin = 0
    for end in ends:
        yield content[begin * width : end * width]
        begin = end


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """The file at `path`, for one transaction that no other writes beside; made where there is none.

    Raises:
        sqlite3.Error: it cannot be read or written now, or another writes it for long.

    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        for setting in SETTINGS:
            connection.execute(setting)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            yield Store(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
