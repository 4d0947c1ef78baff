"""Batches of rows as they travel: a JSON array in, an Arrow table out, and what did not fit set aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa
from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema, from_json, to_json

from routing.lake.schema import PARTITION, LakeTable

# Rows dated outside these years come from a clock that was never set.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rejected:
    """What could not be stored, as it came, and why."""

    content: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one batch in the table's schema, and those that were set aside."""

    rows: pa.Table
    rejected: tuple[Rejected, ...] = ()


def read_batch(table: LakeTable, payload: bytes) -> Batch:
    """Turn a JSON array of rows into an Arrow table; never raises, whatever the payload holds.

    A row that does not fit is set aside alone; a payload that is no JSON array is set aside whole.
    Fields that the table does not know are dropped.
    """
    try:
        return Batch(_to_arrow(table, _validator(table).validate_json(payload, strict=True)))
    except ValidationError as error:
        reasons = _reasons_by_row(error)
    if None in reasons:
        whole = Rejected(payload.decode(errors="replace"), reasons[None])
        return Batch(_to_arrow(table, []), (whole,))
    return _without(table, from_json(payload), reasons)


def _without(table: LakeTable, rows: list[Any], reasons: Mapping[int | None, str]) -> Batch:
    kept = to_json([row for index, row in enumerate(rows) if index not in reasons])
    rejected = tuple(
        Rejected(to_json(row, inf_nan_mode="constants").decode(), reasons[index])
        for index, row in enumerate(rows)
        if index in reasons
    )
    return Batch(_to_arrow(table, _validator(table).validate_json(kept, strict=True)), rejected)


def _reasons_by_row(error: ValidationError) -> dict[int | None, str]:
    """The problems of each row by its index; None stands for the batch as a whole."""
    reasons: dict[int | None, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False):
        index, *path = problem["loc"] or (None,)
        place = ".".join(map(str, path)) or ("batch" if index is None else "row")
        reasons.setdefault(index if isinstance(index, int) else None, []).append(f"{place}: {problem['msg']}")
    return {index: "; ".join(messages) for index, messages in reasons.items()}


def _to_arrow(table: LakeTable, rows: list[dict[str, Any]]) -> pa.Table:
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in table.columns]
    clock = columns[table.columns.get_field_index(table.clock)]
    return pa.table([*columns, clock.cast(table.schema.field(PARTITION).type)], schema=table.schema)


@cache
def _validator(table: LakeTable) -> SchemaValidator:
    """Checks JSON against the table's columns, so that what it lets through always fits in Arrow."""
    fields = {field.name: _row_field(field) for field in table.columns}
    return SchemaValidator(core_schema.list_schema(core_schema.typed_dict_schema(fields)))


def _row_field(field: pa.Field) -> core_schema.TypedDictField:
    value = _value_schema(field.type)
    if field.nullable:
        value = core_schema.with_default_schema(core_schema.nullable_schema(value), default=None)
    return core_schema.typed_dict_field(value, required=not field.nullable)


def _value_schema(kind: pa.DataType) -> CoreSchema:
    if pa.types.is_timestamp(kind):
        return core_schema.datetime_schema(tz_constraint="aware", ge=EARLIEST, lt=LATEST)
    if pa.types.is_integer(kind):
        return core_schema.int_schema(ge=-(2 ** (kind.bit_width - 1)), lt=2 ** (kind.bit_width - 1))
    if pa.types.is_floating(kind):
        return core_schema.float_schema(allow_inf_nan=False)
    if pa.types.is_boolean(kind):
        return core_schema.bool_schema()
    return core_schema.str_schema()
