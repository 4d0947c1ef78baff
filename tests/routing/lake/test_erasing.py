"""Of an erased unit nothing is left in any file under the lake; of all others everything is."""

import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from routing.lake import delta_tables
from routing.lake.erasing import ErasedRows, erase
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.tidying import Retention, merge, tidy
from tests.factories.rows import START, outcome_row, request_row, store, stored
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ADA, BOB = -6917529027641081857, 3458764513820540929
LONG_AFTER = START + timedelta(days=9)
OLD_LAKE = Path(__file__).parents[2] / "data" / "lakes" / "before_comments.zip"


def traces(lake_url: str, unit: int, *words: str) -> list[str]:
    """The files under the lake in which a unit or one of some words is, as text, as bytes, or as a value of Parquet."""
    needles = [str(unit).encode(), struct.pack("<q", unit), struct.pack(">q", unit), *(word.encode() for word in words)]
    return [
        str(path.relative_to(lake_url))
        for path in Path(lake_url).rglob("*")
        if path.is_file() and any(needle in content for content in contents(path) for needle in needles)
    ]


def contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield str(pq.ParquetFile(path).read().to_pylist()).encode()


@pytest.fixture
def lake(lake_url: str) -> str:
    """Rows of two users in several files and versions, some merged, some with old versions of them left behind."""
    for number in range(6):
        ada, bob = f"ada-{number}", f"bob-{number}"
        store(lake_url, REQUESTS, [request_row(ada, unit=ADA), request_row(bob, unit=BOB)], position=number + 1)
        store(
            lake_url,
            REQUESTS,
            [request_row(f"only-bob-{number}", unit=BOB), request_row(f"nobody-{number}", unit=None)],
        )
        store(lake_url, OUTCOMES, [outcome_row(f"by-unit-{ada}", unit=ADA), outcome_row(f"by-unit-{bob}", unit=BOB)])
        by_request = [outcome_row(f"by-request-{name}", unit=None, request_id=name) for name in (ada, bob)]
        store(lake_url, OUTCOMES, by_request)
        if number == 3:
            tidy(lake_url, REQUESTS, Retention(), LONG_AFTER)
            tidy(lake_url, OUTCOMES, Retention(), LONG_AFTER)
    shutil.copy(
        next(Path(lake_url, "requests", "day=2026-01-05").iterdir()), Path(lake_url, "requests", "left.parquet")
    )
    return lake_url


def test_nothing_is_left_of_it_and_all_of_the_others(lake: str) -> None:
    assert len(traces(lake, ADA, "ada-")) > 10
    assert erase(lake, ADA) == ErasedRows(requests=6, outcomes=12)
    assert traces(lake, ADA, "ada-") == []
    bobs = [f"bob-{number}" for number in range(6)]
    rest = [f"{name}-{number}" for name in ("nobody", "only-bob") for number in range(6)]
    assert stored(lake, REQUESTS, "request_id") == sorted(bobs + rest)
    assert stored(lake, OUTCOMES, "id") == sorted(f"by-{what}-{bob}" for what in ("request", "unit") for bob in bobs)
    assert delta_tables.positions(delta_tables.open_table(lake, REQUESTS), {"test"}) == {"test": 6}


def test_it_may_be_repeated_and_goes_on_after(lake: str) -> None:
    erase(lake, ADA)
    assert erase(lake, ADA) == ErasedRows(0, 0)
    store(lake, REQUESTS, [request_row("later", unit=BOB)])
    merge(lake, REQUESTS, LONG_AFTER)
    assert erase(lake, BOB).requests == 13
    assert traces(lake, BOB, "bob-") == []
    assert stored(lake, REQUESTS, "request_id") == sorted(f"nobody-{number}" for number in range(6))


def test_one_that_is_not_there_takes_nothing(lake_url: str) -> None:
    assert erase(lake_url, ADA) == ErasedRows(0, 0)
    assert not Path(lake_url).exists()


def test_a_lake_of_an_older_release_whose_log_names_units(tmp_path: Path) -> None:
    shutil.unpack_archive(OLD_LAKE, tmp_path)
    lake, unit = str(tmp_path), 2**62 + 3
    for table in (REQUESTS, OUTCOMES):
        delta_tables.open_table(lake, table)
    for path in tmp_path.rglob("*"):
        os.utime(path, (START.timestamp(), START.timestamp()))
    named = traces(lake, unit)
    assert {path.rpartition(".")[2] for path in named} == {"json", "parquet"}
    assert any("checkpoint" in path for path in named)
    assert erase(lake, unit).requests == 6
    assert traces(lake, unit) == []
    assert len(stored(lake, REQUESTS, "request_id")) == 24


APPENDS_AND_STOPS_ONCE = """
import os, signal, sys
import deltalake
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS
from tests.factories.rows import request_row, to_arrow
delta = delta_tables.open_table(sys.argv[1], REQUESTS)
os.kill(os.getpid(), signal.SIGSTOP)
try:
    delta_tables.append(delta, to_arrow(REQUESTS, [request_row("late", unit=1)]), {"late": 1})
except delta_tables.Superseded:
    sys.exit(3)
"""


def test_who_read_the_table_before_is_refused_and_loses_nothing(lake: str) -> None:
    """Its file would have been taken for a leftover."""
    process = subprocess.Popen([sys.executable, "-c", APPENDS_AND_STOPS_ONCE, lake])
    try:
        wait_until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split(") ")[1][0] == "T")
        erase(lake, ADA)
        process.send_signal(signal.SIGCONT)
        assert process.wait() == 3
    finally:
        process.kill()
        process.wait()
    assert "late" not in stored(lake, REQUESTS, "request_id")
