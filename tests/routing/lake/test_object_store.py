"""A lake on an object store, behind a real S3 server: what a local folder does, it does as well."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from experiments.evidence import MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType
from routing.collector.collector import Collector
from routing.lake import delta_tables
from routing.lake.erasing import ErasedRows, erase
from routing.lake.rewriting import files_on_disk, storage
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable
from routing.lake.tidying import Retention, drop_old_days, tidy
from tests.factories.rows import START, outcome_row, request_row, send, store, stored, to_arrow
from tests.servers.object_stores import ObjectStore, run_object_store

pytestmark = pytest.mark.slow

NO_HISTORY = Retention(timedelta(0))
LONG_AFTER = START + timedelta(days=9)
ADA, BOB = -6917529027641081857, 3458764513820540929
METRICS = (
    MetricDefinition("errors", MetricType.RATIO, "errors", "requests"),
    MetricDefinition("thumbs", MetricType.MEAN, "outcome(thumbs_up)"),
    MetricDefinition("median", MetricType.QUANTILE, "duration_ms", level=0.5),
)


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with run_object_store() as running:
        yield running


@pytest.fixture
def lake_url(server: ObjectStore, request: pytest.FixtureRequest) -> str:
    return f"{server.lake_url}/{request.node.name}"


def on_store(lake_url: str, table: LakeTable, ending: str) -> list[str]:
    """The objects of a table that end so."""
    delta = delta_tables.open_table(lake_url, table)
    return [file.path for file in files_on_disk(delta) if file.path.endswith(ending)]


def holding(lake_url: str, table: LakeTable, word: str) -> list[str]:
    """The objects of a table in which a word is, whatever they are."""
    delta = delta_tables.open_table(lake_url, table)
    found = []
    for file in files_on_disk(delta):
        with storage(delta).open_input_file(file.path) as opened:
            if word.encode() in opened.read():
                found.append(file.path)
    return found


def test_what_the_collector_writes_evidence_reads_as_from_a_folder(redis: Redis, lake_url: str, tmp_path: Path) -> None:
    variants = {0: "control", 1: "candidate"}
    rows = [
        request_row(f"r{number}", unit=number // 2, variant=variants[number // 2 % 2], duration_ms=float(number))
        for number in range(24)
    ]
    collector = Collector(redis, lake_url, REQUESTS)
    for number, part in enumerate((rows[:9], rows[9:]), start=1):
        send(redis, "local", f"100-{number}", part)
        collector.step()
    folder = str(tmp_path / "lake")
    store(folder, REQUESTS, rows)
    for where in (lake_url, folder):
        store(where, OUTCOMES, [outcome_row(f"o{number}", unit=number) for number in range(0, 12, 5)])
    found, expected = (
        collect_evidence(where, "exp", START, METRICS, now=LONG_AFTER, starts=(START,)) for where in (lake_url, folder)
    )
    assert found.evidence == expected.evidence
    assert found.since == expected.since
    assert dict(found.evidence.units) == {"control": 6, "candidate": 6}


def test_of_two_who_write_the_same_batch_one_is_refused(lake_url: str) -> None:
    store(lake_url, REQUESTS, [])
    first, second = (delta_tables.open_table(lake_url, REQUESTS) for _ in range(2))
    rows = to_arrow(REQUESTS, [request_row("once")])
    delta_tables.append(first, rows, {"local": 1})
    with pytest.raises(delta_tables.Superseded):
        delta_tables.append(second, rows, {"local": 1})
    assert stored(lake_url, REQUESTS, "request_id") == ["once"]


def test_files_are_merged_and_what_is_past_its_history_is_removed(lake_url: str) -> None:
    for number in range(4):
        store(lake_url, REQUESTS, [request_row(f"r{number}")])
    tidy(lake_url, REQUESTS, Retention(), LONG_AFTER)
    assert len(on_store(lake_url, REQUESTS, ".parquet")) == 5
    tidy(lake_url, REQUESTS, NO_HISTORY, LONG_AFTER)
    assert len(on_store(lake_url, REQUESTS, ".parquet")) == 1
    assert stored(lake_url, REQUESTS, "request_id") == [f"r{number}" for number in range(4)]


def test_days_past_their_retention_are_dropped(lake_url: str) -> None:
    store(lake_url, REQUESTS, [request_row("old")])
    store(lake_url, REQUESTS, [request_row("new", time=LONG_AFTER.isoformat())])
    drop_old_days(lake_url, REQUESTS, Retention(days=2), LONG_AFTER)
    assert stored(lake_url, REQUESTS, "request_id") == ["new"]


def test_of_an_erased_unit_nothing_is_left_in_any_object(lake_url: str) -> None:
    store(lake_url, REQUESTS, [request_row("ada-1", unit=ADA), request_row("bob-1", unit=BOB)])
    store(lake_url, OUTCOMES, [outcome_row("of-ada", unit=None, request_id="ada-1"), outcome_row("of-bob", unit=BOB)])
    assert len(holding(lake_url, REQUESTS, "ada-1")) == len(holding(lake_url, OUTCOMES, "ada-1")) == 1
    assert erase(lake_url, ADA) == ErasedRows(requests=1, outcomes=1)
    assert holding(lake_url, REQUESTS, "ada-1") == holding(lake_url, OUTCOMES, "ada-1") == []
    assert stored(lake_url, REQUESTS, "unit") == stored(lake_url, OUTCOMES, "unit") == [BOB]
