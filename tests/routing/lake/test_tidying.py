"""A table stays small on disk: what is kept, for how long, and what becomes of it meanwhile."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from controlplane.problems.errors import InvalidInput
from routing.lake import delta_tables
from routing.lake.rewriting import StoredFile, stored_files
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable
from routing.lake.tidying import MERGED_FILES, Retention, clean, drop_old_days, due, merge, tidy
from tests.factories.rows import START, outcome_row, request_row, store, stored

NO_HISTORY = Retention(timedelta(0))
LONG_AFTER = START + timedelta(days=9)
TODAY = date(2026, 1, 5)


def files(day: str, *sizes: int) -> list[StoredFile]:
    return [StoredFile(f"day={day}/{number}.parquet", day, size, 1) for number, size in enumerate(sizes)]


def on_disk(lake_url: str, table: LakeTable = REQUESTS) -> Counter[str]:
    """How many files of which kind lie in a table's folder."""
    return Counter(path.suffix for path in Path(lake_url, table.name).rglob("*") if path.is_file())


def grow(lake_url: str, count: int, **row: object) -> list[str]:
    """A commit for each of so many rows."""
    names = [f"{number:05}" for number in range(count)]
    for name in names:
        store(lake_url, REQUESTS, [request_row(name, **row)])
    return names


def test_of_a_day_that_goes_on_many_files_of_one_size_are_merged() -> None:
    assert list(due(files("2026-01-05", *[9000] * (MERGED_FILES - 1)), TODAY)) == []
    [group] = due(files("2026-01-05", *[9000] * MERGED_FILES, *[1 << 20] * (MERGED_FILES - 1)), TODAY)
    assert {file.bytes for file in group} == {9000}


def test_days_do_not_mix() -> None:
    halves = files("2026-01-04", *[9000] * 20) + files("2026-01-05", *[9000] * 20)
    assert list(due(halves, TODAY)) == []


def test_of_a_day_that_is_over_few_are_left() -> None:
    [group] = due(files("2026-01-03", 9000, 9000, 1 << 20, 1 << 26), TODAY)
    assert [file.bytes for file in group] == [9000, 9000]
    assert list(due(files("2026-01-03", 9000, 1 << 20, 1 << 26, 1 << 26), TODAY)) == []


def test_merged_files_are_large_and_not_too_large() -> None:
    groups = list(due(files("2026-01-05", *[30 << 20] * MERGED_FILES), TODAY))
    assert {sum(file.bytes for file in group) for group in groups} == {60 << 20}


@pytest.mark.slow
def test_what_is_past_its_history_is_removed(lake_url: str) -> None:
    names = grow(lake_url, 12)
    tidy(lake_url, REQUESTS, NO_HISTORY, LONG_AFTER)
    assert on_disk(lake_url)[".parquet"] == 1
    assert stored(lake_url, REQUESTS, "request_id") == names


@pytest.mark.slow
def test_the_log_is_kept_as_long_as_the_history(lake_url: str) -> None:
    grow(lake_url, delta_tables.CHECKPOINT_COMMITS + 10)
    tidy(lake_url, REQUESTS, Retention(), LONG_AFTER)
    assert on_disk(lake_url)[".json"] > delta_tables.CHECKPOINT_COMMITS
    tidy(lake_url, REQUESTS, NO_HISTORY, LONG_AFTER)
    assert on_disk(lake_url)[".json"] < 20
    with pytest.raises(InvalidInput, match="no version 3"):
        delta_tables.find_table(lake_url, REQUESTS, 3)


@pytest.mark.slow
def test_a_table_with_nothing_new_is_left_alone(lake_url: str) -> None:
    grow(lake_url, 3)
    tidy(lake_url, REQUESTS, NO_HISTORY, LONG_AFTER)
    version = delta_tables.open_table(lake_url, REQUESTS).version()
    tidy(lake_url, REQUESTS, NO_HISTORY, LONG_AFTER)
    assert delta_tables.open_table(lake_url, REQUESTS).version() == version


@pytest.mark.slow
def test_what_is_written_during_a_clean_up_stays(lake_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a commit that the clean-up has not read look like leftovers to it."""
    grow(lake_url, 4)
    merge(lake_url, REQUESTS, LONG_AFTER)
    read = DeltaTable.update_incremental

    def read_and_be_overtaken(delta: DeltaTable) -> None:
        read(delta)
        store(lake_url, REQUESTS, [request_row("meanwhile")])

    monkeypatch.setattr(DeltaTable, "update_incremental", read_and_be_overtaken)
    clean(lake_url, REQUESTS, NO_HISTORY)
    assert len(stored(lake_url, REQUESTS, "request_id")) == 5
    assert on_disk(lake_url)[".parquet"] == 2


@pytest.mark.slow
def test_each_table_keeps_its_days(lake_url: str) -> None:
    for day in (1, 2, 3):
        store(lake_url, REQUESTS, [request_row(f"r{day}", time=f"2026-01-0{day}T23:59:59Z")], position=day)
        store(lake_url, OUTCOMES, [outcome_row(f"o{day}", received_at=f"2026-01-0{day}T00:00:00Z")])
    now = datetime(2026, 1, 4, tzinfo=UTC)
    drop_old_days(lake_url, REQUESTS, Retention(days=2), now)
    drop_old_days(lake_url, OUTCOMES, Retention(days=0), now)
    assert stored(lake_url, REQUESTS, "request_id") == ["r2", "r3"]
    assert stored(lake_url, OUTCOMES, "id") == ["o1", "o2", "o3"]
    assert delta_tables.positions(delta_tables.open_table(lake_url, REQUESTS), {"test"}) == {"test": 3}


@pytest.mark.slow
def test_the_state_is_what_lies_there(lake_url: str) -> None:
    assert tidy(lake_url, REQUESTS, Retention(), START) is None
    grow(lake_url, 5)
    state = tidy(lake_url, REQUESTS, Retention(), START)
    assert state is not None
    assert (state.files, state.rows) == (5, 5)
    assert state.bytes == sum(file.bytes for file in stored_files(delta_tables.open_table(lake_url, REQUESTS)))
    assert state.files_on_disk == on_disk(lake_url).total()
    assert state.version == delta_tables.open_table(lake_url, REQUESTS).version()
