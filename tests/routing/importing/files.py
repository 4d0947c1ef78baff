"""Files of outcomes, and imports of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from redis import Redis

from controlplane.audit.actors import SLUICE
from routing import redis_keys
from routing.importing.receive import receive_part, register_import
from routing.importing.run import Place, run_import
from routing.models import EventImport

UNIT_KEY = b"sixteen bytes...."
TIME = "2026-01-05T10:00:00+00:00"


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A label of a request, without an id."""
    return {"name": "label", "value": float(number % 2), "request_id": f"request-{number}", "time": TIME} | changes


def csv_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """A file with the columns of the first row."""
    names = list(rows[0])
    cells = [[str(each.get(name, "")) for name in names] for each in rows]
    return "".join(",".join(line) + "\n" for line in [names, *cells]).encode()


def jsonl_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """One object a line."""
    return "".join(json.dumps(each) + "\n" for each in rows).encode()


def parquet_of(rows: Sequence[dict[str, Any]], path: Path) -> bytes:
    """As pandas would write it."""
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path.read_bytes()


def begun(name: str, content: bytes) -> EventImport:
    """An import whose file is here."""
    return receive_part(register_import(name, len(content), actor=SLUICE), 0, content, actor=SLUICE)


def imported(name: str, content: bytes, redis: Redis, lake_url: str) -> EventImport:
    """An import that has run to its end."""
    found = begun(name, content)
    assert run_import(found, Place(redis, lake_url, UNIT_KEY))
    found.refresh_from_db()
    return found


def counted(found: EventImport) -> tuple[int, int, int]:
    """How many rows were accepted, known before, and refused."""
    return found.accepted, found.duplicates, found.refused


def queued(redis: Redis) -> list[dict[str, Any]]:
    """The rows that wait for the collector."""
    entries = cast("list[tuple[str, dict[str, str]]]", redis.xrange(redis_keys.OUTCOMES))
    return [each for _, fields in entries for each in json.loads(fields["rows"])]
