"""The two tables of the lake: their columns, and the time that decides a row's partition."""

from dataclasses import dataclass

import pyarrow as pa

PARTITION = "day"


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One table: its name, its columns, and the column whose UTC date is the partition."""

    name: str
    columns: pa.Schema
    clock: str

    @property
    def schema(self) -> pa.Schema:
        """The columns as they are stored: those of a row, and the partition."""
        return self.columns.append(_required(PARTITION, pa.date32()))


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


TIME = pa.timestamp("us", "UTC")

REQUESTS = LakeTable(
    "requests",
    pa.schema(
        [
            _required("time", TIME),
            _required("request_id", pa.string()),
            _required("edge", pa.string()),
            pa.field("unit", pa.int64()),
            _required("endpoint", pa.string()),
            _required("backend", pa.string()),
            pa.field("experiment", pa.string()),
            pa.field("variant", pa.string()),
            pa.field("stage", pa.int32()),
            _required("table_version", pa.int64()),
            _required("shadow", pa.bool_()),
            _required("forced", pa.bool_()),
            _required("status", pa.int32()),
            _required("flags", pa.string()),
            _required("duration_ms", pa.float64()),
            pa.field("ttft_ms", pa.float64()),
            pa.field("prompt_tokens", pa.int64()),
            pa.field("completion_tokens", pa.int64()),
            pa.field("cost", pa.float64()),
            pa.field("answered_by", pa.string()),
            pa.field("retries", pa.int32()),
            pa.field("finish", pa.string()),
            pa.field("inter_token_ms", pa.float64()),
            pa.field("tier", pa.string()),
            pa.field("held_out", pa.bool_()),
            pa.field("queue_ms", pa.float64()),
            pa.field("client", pa.string()),
            pa.field("result", pa.string()),
            pa.field("failure", pa.string()),
            pa.field("stop", pa.string()),
            pa.field("without_unit", pa.string()),
            pa.field("unreadable", pa.string()),
        ]
    ),
    clock="time",
)

# An outcome is partitioned by when it came in: its own time is the sender's word, and one wrong
# clock would otherwise scatter rows over partitions of any age.
OUTCOMES = LakeTable(
    "outcomes",
    pa.schema(
        [
            _required("id", pa.string()),
            _required("time", TIME),
            _required("received_at", TIME),
            _required("name", pa.string()),
            _required("value", pa.float64()),
            pa.field("unit", pa.int64()),
            pa.field("request_id", pa.string()),
            _required("properties", pa.string()),
        ]
    ),
    clock="received_at",
)
