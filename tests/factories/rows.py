"""Rows and batches as an edge and the intake send them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from redis import Redis

from routing import redis_keys
from routing.lake import delta_tables
from routing.lake.batches import read_batch
from routing.lake.schema import LakeTable

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def request_row(request_id: str, **changes: Any) -> dict[str, Any]:
    """A measured request of experiment `exp` that went well, but for the changes."""
    row: dict[str, Any] = {
        "time": START.isoformat(),
        "request_id": request_id,
        "edge": "local",
        "unit": 1,
        "endpoint": "chat",
        "backend": "small",
        "experiment": "exp",
        "variant": "control",
        "stage": 0,
        "table_version": 1,
        "shadow": False,
        "forced": False,
        "status": 200,
        "flags": "",
        "duration_ms": 100.0,
        "ttft_ms": None,
        "prompt_tokens": None,
        "completion_tokens": None,
        "answered_by": "small",
        "retries": 0,
        "finish": "complete",
        "inter_token_ms": None,
        "tier": None,
        "held_out": False,
        "queue_ms": None,
        "client": None,
        "stream": None,
        "cost": None,
        "result": None,
        "failure": None,
        "stop": None,
        "without_unit": None,
        "unreadable": None,
        "kept_share": None,
    }
    return row | changes


def outcome_row(outcome_id: str, **changes: Any) -> dict[str, Any]:
    """An outcome `thumbs_up` of unit 1, but for the changes."""
    row: dict[str, Any] = {
        "id": outcome_id,
        "time": START.isoformat(),
        "received_at": START.isoformat(),
        "name": "thumbs_up",
        "value": 1.0,
        "unit": 1,
        "request_id": None,
        "properties": "{}",
    }
    return row | changes


def send(redis: Redis, edge: str, entry_id: str, rows: Sequence[object], *, after: str = "0-0") -> None:
    """Ship a batch as an edge's agent does; `after` is the place that it follows."""
    redis.sadd(redis_keys.EDGES, edge)
    redis.xadd(redis_keys.requests(edge), {"rows": json.dumps(rows), "after": after}, id=entry_id)


def to_arrow(table: LakeTable, rows: Sequence[object]) -> pa.Table:
    """Rows as the collector would write them; all of them must fit."""
    batch = read_batch(table, json.dumps(rows).encode())
    assert not batch.rejected
    return batch.rows


def store(lake_url: str, table: LakeTable, rows: Sequence[object], *, position: int | None = None) -> DeltaTable:
    """Commit rows to the lake as one commit."""
    delta = delta_tables.open_table(lake_url, table)
    delta_tables.append(delta, to_arrow(table, rows), {} if position is None else {"test": position})
    return delta


def stored(lake_url: str, table: LakeTable, column: str) -> list[Any]:
    """All values of a column in the newest version, sorted."""
    delta = delta_tables.find_table(lake_url, table)
    assert delta is not None
    values: list[Any] = delta.to_pyarrow_dataset().to_table(columns=[column])[column].to_pylist()
    return sorted(values)
