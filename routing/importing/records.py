"""Files as records: what each row says, in the words of an event, and where it stands."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from controlplane.problems.errors import InvalidInput
from controlplane.problems.strict_json import decode_json
from routing.intake.outcomes import OutcomeEvent
from routing.models import EventImport

FIELDS = tuple(OutcomeEvent.model_fields)
LONGEST_LINE = 65_536
MEMORY = "512MB"
ROWS_AT_ONCE = 5_000

OWN: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": MEMORY,
    "autoinstall_known_extensions": False,
}

Kind = EventImport.Kind


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its line, counted from 1 (a row, where a file has no lines), and its fields, or why it has none."""

    line: int
    item: object
    problem: str = ""


def read_records(path: Path, kind: str) -> Iterator[Record]:
    """The records of a file in their order, a few in memory at a time.

    Raises:
        InvalidInput: `file-unreadable`, from where on it cannot be read; `file-columns`, not those of events.

    """
    return READERS[Kind(kind)](path)


def refusal(code: str, detail: str) -> InvalidInput:
    """What ends an import as a whole."""
    return InvalidInput(code, detail, next_step="Correct the file and import it again; what is in counts once.")


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text, none of them without end; bytes that are no UTF-8 are halves of characters."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), ""), start=1):
            if len(line) > LONGEST_LINE:
                raise refusal("file-unreadable", f"Line {number} has more than {LONGEST_LINE} characters.")
            yield line


def _json_lines(path: Path) -> Iterator[Record]:
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            try:
                yield Record(number, decode_json(line))
            except InvalidInput as error:
                yield Record(number, None, error.detail)


def _csv(path: Path) -> Iterator[Record]:
    reader = csv.reader(_lines(path), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _require_columns(header)
        for cells in reader:
            if cells:
                yield _csv_record(reader.line_num, header, cells)
    except csv.Error as error:
        raise refusal("file-unreadable", f"Line {reader.line_num} cannot be read as CSV: {error}.") from error


def _csv_record(line: int, header: list[str], cells: list[str]) -> Record:
    if len(cells) != len(header):
        return Record(line, None, f"It has {len(cells)} fields, and the header {len(header)}.")
    filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    return Record(line, {name: FROM_TEXT.get(name, str)(cell) for name, cell in filled.items()})


def _number(text: str) -> object:
    """A number; what is none stays a text, which is refused by its name."""
    try:
        return float(text)
    except ValueError:
        return text


def _object(text: str) -> object:
    """As `_number`."""
    try:
        return decode_json(text)
    except InvalidInput:
        return text


FROM_TEXT: Mapping[str, Callable[[str], object]] = {"value": _number, "properties": _object}


def _parquet(path: Path) -> Iterator[Record]:
    try:
        with duckdb.connect(config=OWN) as connection:
            file = connection.read_parquet(str(path))
            _require_columns(file.columns)
            columns = [_as_json_has_it(name, str(kind)) for name, kind in zip(file.columns, file.types, strict=True)]
            batches = file.project(", ".join(columns)).to_arrow_reader(ROWS_AT_ONCE)
            rows = (row for batch in batches for row in batch.to_pylist())
            for number, row in enumerate(rows, start=1):
                yield Record(number, _without_nulls(row))
    except duckdb.Error as error:
        raise refusal("file-unreadable", f"It cannot be read as Parquet: {error}") from error


def _as_json_has_it(name: str, kind: str) -> str:
    """Ids may be whole numbers, and numbers of any width."""
    if kind.startswith(("DECIMAL", "FLOAT", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "U")):
        return f"CAST({name} AS {'DOUBLE' if name == 'value' else 'VARCHAR'}) AS {name}"
    return name


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    item = {name: value for name, value in row.items() if value is not None}
    properties = item.get("properties")
    return {**item, "properties": _object(properties)} if isinstance(properties, str) else item


def _require_columns(names: list[str]) -> None:
    wrong = [name for name in names if name not in FIELDS]
    if wrong or "name" not in names or len(set(names)) != len(names):
        found = f"it has {', '.join(islice(wrong, 5))}" if wrong else "it must have name, and each once"
        raise refusal("file-columns", f"Its columns must be some of {', '.join(FIELDS)}: {found}.")


READERS: Mapping[Kind, Callable[[Path], Iterator[Record]]] = {
    Kind.CSV: _csv,
    Kind.JSONL: _json_lines,
    Kind.PARQUET: _parquet,
}
