"""Ids of imported rows, so that a file that comes again counts once.

A row without an id is known by what it says. Equal rows of one file are as many events, so each but the first is
numbered: the same file again has the same ids, and so has a longer one that holds it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from itertools import islice
from typing import TypeVar

import duckdb
import pyarrow as pa

from controlplane.problems.errors import FieldProblem
from routing.importing.records import MEMORY, Record, refusal
from routing.intake.check import RefusedEvent, check_event
from routing.intake.outcomes import OutcomeEvent
from routing.lake.reading import read_lake

MOST_ROWS = 1_000_000
ROWS_AT_ONCE = 5_000
NO_IDENTITY = "Give an id or a time: without either, two imports of one row would count twice."

IDS = pa.schema([("row", pa.int64()), ("id", pa.string()), ("own", pa.bool_())])
NUMBERED = """
CREATE TEMP TABLE numbered AS
SELECT row, own, id, row_number() OVER (PARTITION BY own, id ORDER BY row) - 1 AS earlier FROM ids
"""
REPEATS = "SELECT row, earlier FROM numbered WHERE NOT own AND earlier > 0"
KNOWN = """
SELECT row FROM numbered SEMI JOIN lake
ON lake.id = CASE WHEN own OR earlier = 0 THEN numbered.id ELSE numbered.id || ':' || earlier END
"""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Survey:
    """A file as a whole: its rows, how many equal ones come before some of them, and which the lake has.

    Rows are counted from 0.
    """

    rows: int
    repeats: Mapping[int, int]
    known: frozenset[int]


def survey(records: Iterable[Record], lake_url: str) -> Survey:
    """Read a file to its end before anything of it is taken.

    Raises:
        InvalidInput: as `read_records`; `file-too-long`, more than a million rows.
        Unavailable: `lake-unavailable`.

    """
    with read_lake(lake_url) as reading:
        connection = reading.connection
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("CREATE TEMP TABLE ids (row BIGINT, id VARCHAR, own BOOLEAN)")
        rows = _note_ids(connection, records)
        reading.outcomes.select("id").to_native().create_view("lake")
        connection.execute(NUMBERED)
        repeats = dict(connection.execute(REPEATS).fetchall())
        known = frozenset(row for (row,) in connection.execute(KNOWN).fetchall())
    return Survey(rows, repeats, known)


def identified(record: Record, earlier: int = 0) -> OutcomeEvent | RefusedEvent:
    """The event of a row, with an id in any case; `earlier` equal rows come before it in its file."""
    if record.problem:
        return RefusedEvent(record.line, (FieldProblem("row", record.problem),))
    item = record.item
    if not isinstance(item, dict) or item.get("id"):
        return check_event(record.line, item)
    if not item.get("time"):
        return RefusedEvent(record.line, (FieldProblem("time", NO_IDENTITY),))
    checked = check_event(record.line, {**item, "id": "by content"})
    if isinstance(checked, RefusedEvent):
        return checked
    return checked.model_copy(update={"id": _content_id(checked) + (f":{earlier}" if earlier else "")})


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """So many at once as are kept in memory."""
    rest = iter(items)
    while chunk := list(islice(rest, ROWS_AT_ONCE)):
        yield chunk


def _note_ids(connection: duckdb.DuckDBPyConnection, records: Iterable[Record]) -> int:
    rows = 0
    for chunk in chunks(records):
        noted = [(rows + place, *found) for place, record in enumerate(chunk) if (found := _identity(record))]
        columns = [list(column) for column in zip(*noted, strict=True)] or [[], [], []]
        connection.from_arrow(pa.table(columns, schema=IDS)).insert_into("ids")
        rows += len(chunk)
        if rows > MOST_ROWS:
            raise refusal("file-too-long", f"It has more than {MOST_ROWS} rows.")
    return rows


def _identity(record: Record) -> tuple[str, bool] | None:
    """The id of a row, and whether it is the row's own; None for one that is refused."""
    own = record.item.get("id") if isinstance(record.item, dict) else None
    if isinstance(own, str) and own:
        return own.encode(errors="replace").decode(), True
    found = identified(record)
    return None if isinstance(found, RefusedEvent) else (found.id, False)


def _content_id(event: OutcomeEvent) -> str:
    content = [
        event.name,
        event.value,
        event.unit,
        event.request_id,
        event.time.astimezone(UTC).isoformat(),
        event.properties,
    ]
    return f"sha256:{sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}"
