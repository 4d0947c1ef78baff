"""A batch becomes rows of the lake, and what does not fit is set aside alone."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.lake.batches import read_batch
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.factories.rows import outcome_row, request_row

pytestmark = pytest.mark.slow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BROKEN = st.dictionaries(st.sampled_from(REQUESTS.columns.names), JSON, min_size=1, max_size=3)


def encode(rows: object) -> bytes:
    return json.dumps(rows).encode()


def test_a_row_arrives_as_it_was_sent() -> None:
    row = request_row("a", time="2026-01-05T23:30:00.123456-02:00", unit=-(2**63), cost=0.1, completion_tokens=7)
    [stored] = read_batch(REQUESTS, encode([row])).rows.to_pylist()
    time = datetime(2026, 1, 6, 1, 30, 0, 123456, tzinfo=UTC)
    assert stored == row | {"time": time, "day": date(2026, 1, 6)}


def test_an_outcome_lies_in_the_partition_of_its_arrival() -> None:
    row = outcome_row("a", time="2020-02-02T00:00:00Z", received_at="2026-01-05T00:00:00Z")
    assert read_batch(OUTCOMES, encode([row])).rows["day"].to_pylist() == [date(2026, 1, 5)]


def test_columns_that_may_be_unknown_may_be_left_out_and_others_are_dropped() -> None:
    row = request_row("a", colour="blue")
    del row["cost"], row["stage"]
    [stored] = read_batch(REQUESTS, encode([row])).rows.to_pylist()
    assert (stored["cost"], stored["stage"], "colour" in stored) == (None, None, False)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", True),
        ("status", 2**31),
        ("status", "200"),
        ("unit", 2**63),
        ("unit", 1.5),
        ("duration_ms", "fast"),
        ("duration_ms", float("nan")),
        ("duration_ms", float("inf")),
        ("duration_ms", None),
        ("shadow", 0),
        ("flags", None),
        ("request_id", 7),
        ("time", 1767225600),
        ("time", "2026-01-05T08:00:00"),
        ("time", "1970-01-01T00:00:00Z"),
        ("time", "soon"),
    ],
)
def test_a_row_that_does_not_fit_is_set_aside_alone(column: str, value: object) -> None:
    rows = [request_row("a"), request_row("b") | {column: value}, request_row("c")]
    batch = read_batch(REQUESTS, encode(rows))
    assert batch.rows["request_id"].to_pylist() == ["a", "c"]
    [rejected] = batch.rejected
    assert rejected.reason.startswith(f"{column}: ")
    assert str(json.loads(rejected.content)[column]) == str(value)


def test_a_missing_column_is_named() -> None:
    row = request_row("a")
    del row["endpoint"]
    assert read_batch(REQUESTS, encode([row])).rejected[0].reason == "endpoint: Field required"


@pytest.mark.parametrize("payload", [b"", b"{}", b"[{]", b"\xff", b"[" * 9999, b'[{"flags": "\\ud800"}]', b"null"])
def test_a_payload_that_is_no_array_is_set_aside_whole(payload: bytes) -> None:
    batch = read_batch(REQUESTS, payload)
    assert batch.rows.num_rows == 0
    assert [rejected.content for rejected in batch.rejected] == [payload.decode(errors="replace")]


@given(st.binary())
def test_no_bytes_whatever_raise(payload: bytes) -> None:
    read_batch(OUTCOMES, payload)


@given(st.lists(BROKEN, max_size=4))
def test_each_row_is_kept_or_set_aside(changes: list[dict[str, Any]]) -> None:
    rows = [request_row(str(number)) | change for number, change in enumerate(changes)]
    batch = read_batch(REQUESTS, encode(rows))
    if not any(rejected.reason.startswith("batch: ") for rejected in batch.rejected):
        assert batch.rows.num_rows + len(batch.rejected) == len(rows)
    assert batch.rows.schema == REQUESTS.schema
