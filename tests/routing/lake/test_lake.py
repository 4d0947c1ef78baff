"""The lake remembers rows and positions together, through merges, checkpoints and clean-ups."""

from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.problems.errors import InvalidInput
from routing.lake import delta_tables
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.tidying import Retention, merge, tidy
from tests.factories.rows import START, outcome_row, request_row, store, stored, to_arrow

pytestmark = pytest.mark.slow

LONG_AFTER = START + timedelta(days=9)


def append_many(lake_url: str, first: int, last: int) -> None:
    """One commit a row, merged when due."""
    delta = delta_tables.open_table(lake_url, REQUESTS)
    for number in range(first, last):
        delta_tables.append(delta, to_arrow(REQUESTS, [request_row(f"{number:05}")]), {"stream": number + 1})
        merge(lake_url, REQUESTS, START)


def test_a_table_is_made_once_and_found_again(lake_url: str) -> None:
    assert delta_tables.find_table(lake_url, REQUESTS) is None
    delta_tables.open_table(lake_url, REQUESTS)
    store(lake_url, REQUESTS, [request_row("a")])
    assert delta_tables.open_table(lake_url, REQUESTS).version() == 1
    assert stored(lake_url, REQUESTS, "request_id") == ["a"]
    assert delta_tables.find_table(lake_url, OUTCOMES) is None


def test_rows_keep_their_columns_and_are_partitioned_by_day(lake_url: str) -> None:
    row = outcome_row("a", received_at="2026-01-05T10:00:00Z")
    delta = store(lake_url, OUTCOMES, [row])
    assert [Path(uri).parent.name for uri in delta.file_uris()] == ["day=2026-01-05"]
    assert delta.to_pyarrow_table().select(OUTCOMES.schema.names).to_pylist() == to_arrow(OUTCOMES, [row]).to_pylist()


def test_positions_are_those_of_each_stream(lake_url: str) -> None:
    delta = delta_tables.open_table(lake_url, REQUESTS)
    assert delta_tables.positions(delta, {"one", "two"}) == {"one": 0, "two": 0}
    delta_tables.append(delta, to_arrow(REQUESTS, [request_row("a")]), {"one": 2**62})
    delta_tables.append(delta, to_arrow(REQUESTS, []), {"two": 3})
    assert delta_tables.positions(delta_tables.open_table(lake_url, REQUESTS), {"one", "two"}) == {
        "one": 2**62,
        "two": 3,
    }


@pytest.mark.parametrize("position", [1, 5, 9])
def test_a_stream_moved_by_another_writer_refuses_the_commit(lake_url: str, position: int) -> None:
    mine, other = delta_tables.open_table(lake_url, REQUESTS), delta_tables.open_table(lake_url, REQUESTS)
    delta_tables.append(other, to_arrow(REQUESTS, [request_row("theirs")]), {"stream": 5})
    with pytest.raises(delta_tables.Superseded):
        delta_tables.append(mine, to_arrow(REQUESTS, [request_row("mine")]), {"stream": position})
    assert stored(lake_url, REQUESTS, "request_id") == ["theirs"]


def test_another_stream_beside_is_no_conflict(lake_url: str) -> None:
    mine, other = delta_tables.open_table(lake_url, REQUESTS), delta_tables.open_table(lake_url, REQUESTS)
    delta_tables.append(other, to_arrow(REQUESTS, [request_row("theirs")]), {"one": 5})
    delta_tables.append(mine, to_arrow(REQUESTS, [request_row("mine")]), {"two": 5})
    assert stored(lake_url, REQUESTS, "request_id") == ["mine", "theirs"]


def test_files_stay_few_and_nothing_is_lost_by_merging(lake_url: str) -> None:
    append_many(lake_url, 0, 150)
    delta = delta_tables.open_table(lake_url, REQUESTS)
    assert len(delta.file_uris()) <= 64
    assert stored(lake_url, REQUESTS, "request_id") == [f"{number:05}" for number in range(150)]
    assert delta_tables.positions(delta, {"stream"}) == {"stream": 150}
    assert list(Path(lake_url, "requests", "_delta_log").glob("*.checkpoint.parquet"))


def test_an_old_version_can_still_be_read_after_merging_and_cleaning(lake_url: str) -> None:
    append_many(lake_url, 0, 5)
    version = delta_tables.open_table(lake_url, REQUESTS).version()
    append_many(lake_url, 5, 40)
    tidy(lake_url, REQUESTS, Retention(), LONG_AFTER)
    old = delta_tables.find_table(lake_url, REQUESTS, version)
    assert old is not None
    assert sorted(old.to_pyarrow_table()["request_id"].to_pylist()) == [f"{number:05}" for number in range(5)]


def test_appending_goes_on_from_before_a_merge(lake_url: str) -> None:
    append_many(lake_url, 0, 6)
    opened_before = delta_tables.open_table(lake_url, REQUESTS)
    merge(lake_url, REQUESTS, LONG_AFTER)
    assert len(delta_tables.open_table(lake_url, REQUESTS).file_uris()) == 1
    delta_tables.append(opened_before, to_arrow(REQUESTS, [request_row("00006")]), {"stream": 7})
    assert stored(lake_url, REQUESTS, "request_id") == [f"{number:05}" for number in range(7)]


def test_a_version_that_is_not_there_is_said_so(lake_url: str) -> None:
    store(lake_url, REQUESTS, [request_row("a")])
    with pytest.raises(InvalidInput) as raised:
        delta_tables.find_table(lake_url, REQUESTS, 7)
    assert raised.value.code == "lake-version-unknown"


def test_before_the_table_existed_there_was_none(lake_url: str) -> None:
    store(lake_url, REQUESTS, [request_row("a")])
    assert delta_tables.find_table(lake_url, REQUESTS, delta_tables.NO_VERSION) is None
