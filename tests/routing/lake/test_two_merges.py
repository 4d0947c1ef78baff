"""Two processes merge the same version of a table, one of them held up in between: each row is still there once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from routing.lake import delta_tables
from routing.lake.rewriting import commit_rewrite, rewritten, stored_files
from routing.lake.schema import REQUESTS
from routing.lake.tidying import Retention, clean, merge
from tests.factories.rows import START, request_row, store, stored

pytestmark = pytest.mark.slow

ROWS = [f"{number:05}" for number in range(12)]
LONG_AFTER = START + timedelta(days=9)

# It stops itself where it has read and written all and committed nothing, as a machine that sleeps would.
MERGES_AND_STOPS_ONCE = """
import os, signal, sys
from routing.lake.delta_tables import Superseded, open_table
from routing.lake.rewriting import commit_rewrite, rewritten, stored_files
from routing.lake.schema import REQUESTS
delta = open_table(sys.argv[1], REQUESTS)
merged = rewritten(delta, REQUESTS, [stored_files(delta)])
os.kill(os.getpid(), signal.SIGSTOP)
try:
    commit_rewrite(delta, merged)
except Superseded:
    sys.exit(3)
"""
COMMITTED, SUPERSEDED = 0, 3


@contextmanager
def merger(lake_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has merged all files of the version now and not committed it."""
    process = subprocess.Popen([sys.executable, "-c", MERGES_AND_STOPS_ONCE, lake_url])
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield process
    finally:
        process.kill()
        process.wait()


def go_on(*processes: subprocess.Popen[bytes]) -> list[int]:
    """What becomes of the mergers once they go on, all at once."""
    for process in processes:
        process.send_signal(signal.SIGCONT)
    return sorted(process.wait() for process in processes)


@pytest.fixture
def files(lake_url: str) -> str:
    """A lake whose rows lie in a file each."""
    for row in ROWS:
        store(lake_url, REQUESTS, [request_row(row)])
    return lake_url


@pytest.mark.parametrize("count", [2, 4])
def test_of_those_who_commit_at_once_one_does(files: str, count: int) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(merger(files)) for _ in range(count)]
        assert go_on(*processes) == [COMMITTED] + [SUPERSEDED] * (count - 1)
    assert stored(files, REQUESTS, "request_id") == ROWS
    assert len(delta_tables.open_table(files, REQUESTS).file_uris()) == 1


def test_one_that_was_away_while_another_merged_is_refused(files: str) -> None:
    with merger(files) as late:
        merge(files, REQUESTS, LONG_AFTER)
        store(files, REQUESTS, [request_row("later")])
        assert go_on(late) == [SUPERSEDED]
    assert stored(files, REQUESTS, "request_id") == [*ROWS, "later"]


def test_one_that_was_away_while_others_appended_commits(files: str) -> None:
    with merger(files) as late:
        store(files, REQUESTS, [request_row("later")], position=5)
        assert go_on(late) == [COMMITTED]
    assert stored(files, REQUESTS, "request_id") == [*ROWS, "later"]
    assert len(delta_tables.open_table(files, REQUESTS).file_uris()) == 2


def test_one_that_was_away_while_the_table_was_cleaned_is_refused(files: str) -> None:
    """Its file looked like a leftover."""
    with merger(files) as late:
        clean(files, REQUESTS, Retention(timedelta(0)))
        assert go_on(late) == [SUPERSEDED]
    assert stored(files, REQUESTS, "request_id") == ROWS


def test_other_files_are_refused_too_since_the_fence_is_the_tables(files: str) -> None:
    delta = delta_tables.open_table(files, REQUESTS)
    first, second = stored_files(delta)[:6], stored_files(delta)[6:]
    halves = [rewritten(delta, REQUESTS, [half]) for half in (first, second)]
    commit_rewrite(delta, halves[0])
    with pytest.raises(delta_tables.Superseded):
        commit_rewrite(delta, halves[1])
    assert stored(files, REQUESTS, "request_id") == ROWS


def test_merged_rows_are_what_they_were(lake_url: str) -> None:
    rows = [request_row(row, unit=None, ttft_ms=0.1 + number, cost=1e-9) for number, row in enumerate(ROWS)]
    for number, row in enumerate(rows):
        store(lake_url, REQUESTS, [row | {"time": f"2026-01-0{1 + number % 3}T08:00:00.00000{number % 10}Z"}])
    before = sorted(delta_tables.open_table(lake_url, REQUESTS).to_pyarrow_table().to_pylist(), key=str)
    merge(lake_url, REQUESTS, LONG_AFTER)
    delta = delta_tables.open_table(lake_url, REQUESTS)
    assert sorted(delta.to_pyarrow_table().to_pylist(), key=str) == before
    assert [file.rows for file in stored_files(delta)] == [4, 4, 4]
