"""The file that keeps an experiment's totals: by unit, what each step from one start to the next adds to them."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import repeat
from pathlib import Path

import numpy as np

from experiments.evidence.state.packing import form_of, packed, read_packed, size_of
from experiments.evidence.state.units import ABSENT, UnitSteps, Whole

SCHEMA = """
CREATE TABLE IF NOT EXISTS sums (one INTEGER PRIMARY KEY CHECK (one = 1), content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS units (
    unit INTEGER PRIMARY KEY,
    arm INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    form TEXT NOT NULL,
    wholes BLOB NOT NULL,
    steps BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS pasts (unit INTEGER PRIMARY KEY, form TEXT NOT NULL, totals BLOB NOT NULL);
"""
SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",
    # Whoever is erased is so on the disk too.
    "PRAGMA secure_delete = ON",
)
WAIT_SECONDS = 5.0


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
        """Forget all, and the tables of an earlier layout with it."""
        self._connection.execute("DROP TABLE IF EXISTS sums")
        self._connection.execute("DROP TABLE IF EXISTS units")
        self._connection.execute("DROP TABLE IF EXISTS pasts")
        self.make()

    def make(self) -> None:
        """Make the tables where there are none."""
        for statement in SCHEMA.split(";"):
            self._connection.execute(statement)

    def read(self, units: Whole, wholes: int, steps: int) -> UnitSteps:
        """These units, which are distinct, as they are kept with so many totals of either sort."""
        known = (
            "SELECT key, arm, newest, failed, seen, form, wholes, steps "
            "FROM json_each(?) CROSS JOIN units ON unit = value ORDER BY key"
        )
        rows = self._connection.execute(known, (json.dumps(units.tolist()),)).fetchall()
        places, *columns = zip(*rows, strict=True) if rows else [()] * 8
        at = np.array(places, np.int64)
        arms, newest, failed, seen = (np.full(len(units), nothing, np.int64) for nothing in (ABSENT, 0, 0, 0))
        for values, column in zip((arms, newest, failed, seen), columns, strict=False):
            values[at] = column
        *_, forms, kept_wholes, kept_steps = columns
        found = np.zeros((wholes, len(units)), np.int64)
        found[:, at] = read_packed(kept_wholes, [form[:wholes] for form in forms], wholes)
        content = read_packed(kept_steps, [form[wholes:] for form in forms], 1 + steps)
        sizes = [len(each) // size_of(form[wholes:]) for each, form in zip(kept_steps, forms, strict=True)]
        return UnitSteps(units, arms, newest, failed, seen, found, np.repeat(at, sizes), content[0], content[1:])

    def write(self, found: UnitSteps) -> None:
        """In place of what was kept of these units."""
        content = np.concatenate([found.starts[np.newaxis], found.steps])
        forms = [form_of(found.wholes), form_of(content)]
        ends = np.searchsorted(found.owners, np.arange(len(found.units)), side="right")
        parts = (
            packed(found.wholes, forms[0], np.arange(1, len(found.units) + 1)),
            packed(content, forms[1], ends),
        )
        columns = (column.tolist() for column in (found.units, found.arms, found.newest, found.failed, found.seen))
        rows = zip(*columns, repeat("".join(forms)), *parts)
        self._connection.executemany("INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def read_pasts(self, units: Whole, totals: int) -> Whole:
        """So many totals of these units, a column each, from before the experiment; zeros where nothing is kept."""
        known = "SELECT key, form, totals FROM json_each(?) CROSS JOIN pasts ON unit = value ORDER BY key"
        rows = self._connection.execute(known, (json.dumps(units.tolist()),)).fetchall()
        found = np.zeros((totals, len(units)), np.int64)
        if rows:
            places, forms, kept = zip(*rows, strict=True)
            found[:, np.array(places, np.int64)] = read_packed(kept, forms, totals)
        return found

    def write_pasts(self, units: Whole, totals: Whole) -> None:
        """In place of what was kept of these units."""
        form = form_of(totals)
        kept = packed(totals, form, np.arange(1, len(units) + 1))
        rows = zip(units.tolist(), repeat(form), kept)
        self._connection.executemany("INSERT OR REPLACE INTO pasts VALUES (?, ?, ?)", rows)


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
            store = Store(connection)
            store.make()
            yield store
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
