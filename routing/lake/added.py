"""Which files brought new rows to a table between two of its versions, as its log tells."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from routing.lake.rewriting import storage


def files_added(delta: DeltaTable, since: int) -> list[str] | None:
    """The addresses, as `delta` has them, of the files with rows that came in after version `since`, up to its own.

    A merge of files brings no rows, and is none of these. None where the log cannot tell: where a commit took rows
    away or changed them, or is past its retention.
    """
    found: list[str] = []
    for action in _actions(delta, since):
        if action is None or action.get("remove", {}).get("dataChange"):
            return None
        if action.get("add", {}).get("dataChange"):
            found.append(f"{_root(delta)}/{action['add']['path']}")
    return found


def _root(delta: DeltaTable) -> str:
    return delta.table_uri.removeprefix("file://").rstrip("/")


def _actions(delta: DeltaTable, since: int) -> Iterator[dict[str, Any] | None]:
    """What the commits after a version did, one after the other; None for a commit that is gone."""
    files = storage(delta)
    for version in range(since + 1, delta.version() + 1):
        try:
            with files.open_input_file(f"_delta_log/{version:020d}.json") as commit:
                lines = commit.read().splitlines()
        except (FileNotFoundError, pa.ArrowException):
            yield None
            return
        yield from map(json.loads, lines)
