"""Keeping a table in order: its files few, and what is past its time gone.

Whoever does it may be killed or held up at any point, or have company: see `routing.lake.rewriting`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from deltalake import DeltaTable
from pyarrow.fs import FileInfo

from routing.lake.delta_tables import HISTORY, find_table
from routing.lake.rewriting import Rewrite, StoredFile, commit_rewrite, files_on_disk, rewritten, storage, stored_files
from routing.lake.schema import LakeTable

log = structlog.get_logger()

# Files of a day that are about as large as each other are merged once there are so many of them. So a row is
# rewritten as often as there are sizes, and not with every merge of its day.
MERGED_FILES = 32
SIZES = (1 << 16, 1 << 19, 1 << 22, 1 << 25)
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Retention:
    """How long old versions of a table can be read, and for how many days it keeps rows; 0 is for ever."""

    history: timedelta = timedelta(hours=1)
    days: int = 0


@dataclass(frozen=True, slots=True)
class TableState:
    """How large the newest version of a table is, and how much lies in its folder, old versions and log included."""

    version: int
    files: int
    rows: int
    bytes: int
    files_on_disk: int
    bytes_on_disk: int


def tidy(lake_url: str, table: LakeTable, retention: Retention, now: datetime) -> TableState | None:
    """All of it: merge, drop the days that are too old, remove what no version needs that may be read.

    Gives how the table is then; None where there is none.

    Raises:
        Superseded: another one was at it; the next time does the work of both.
        DeltaError, OSError, ArrowException: the lake does not answer, or a file of it is broken.

    """
    merge(lake_url, table, now)
    drop_old_days(lake_url, table, retention, now)
    clean(lake_url, table, retention)
    delta = find_table(lake_url, table)
    return None if delta is None else _state(delta)


def merge(lake_url: str, table: LakeTable, now: datetime) -> None:
    """Merge files where there are many; raises as `tidy`."""
    delta = find_table(lake_url, table)
    if delta is not None and (groups := list(due(stored_files(delta), now.date()))):
        commit_rewrite(delta, rewritten(delta, table, groups))


def drop_old_days(lake_url: str, table: LakeTable, retention: Retention, now: datetime) -> None:
    """Drop the rows of days that are past their retention; raises as `tidy`."""
    delta = find_table(lake_url, table)
    if delta is None or not retention.days:
        return
    oldest = now.date() - timedelta(days=retention.days)
    if old := tuple(file for file in stored_files(delta) if date.fromisoformat(file.day) < oldest):
        commit_rewrite(delta, Rewrite(old, (), changes_rows=True))
        log.info("old days dropped from the lake", table=table.name, before=str(oldest), files=len(old))


def clean(lake_url: str, table: LakeTable, retention: Retention) -> None:
    """Remove files and log entries that only versions need which are past their retention; raises as `tidy`."""
    delta = find_table(lake_url, table)
    if delta is None:
        return
    _tell_history(delta, retention)
    if _leftovers(delta):
        # Whoever is about to commit a file that looks like a leftover by now must not do so any more.
        commit_rewrite(delta, Rewrite((), (), changes_rows=False))
        # What is written from here on is unknown to the version that is read next, and is no leftover.
        before = datetime.now(UTC) - retention.history
        delta.update_incremental()
        for file in _leftovers(delta):
            if file.mtime <= before:
                storage(delta).delete_file(file.path)
    delta.cleanup_metadata()


def _tell_history(delta: DeltaTable, retention: Retention) -> None:
    interval = f"interval {retention.history.total_seconds():.0f} seconds"
    wanted = dict.fromkeys(HISTORY, interval)
    if wanted.items() - delta.metadata().configuration.items():
        delta.alter.set_table_properties(wanted)


def _leftovers(delta: DeltaTable) -> list[FileInfo]:
    """The files that are there, and of no version that may be read."""
    unneeded = set(delta.vacuum(dry_run=True, full=True))
    return [file for file in files_on_disk(delta) if file.path in unneeded]


def _state(delta: DeltaTable) -> TableState:
    files = stored_files(delta)
    on_disk = [file.size for file in files_on_disk(delta)]
    return TableState(
        version=delta.version(),
        files=len(files),
        rows=sum(file.rows for file in files),
        bytes=sum(file.bytes for file in files),
        files_on_disk=len(on_disk),
        bytes_on_disk=sum(on_disk),
    )


def due(files: Iterable[StoredFile], today: date) -> Iterator[list[StoredFile]]:
    """Groups of files to merge: many of one size and day, or two where a day is over and little comes any more."""
    alike: defaultdict[tuple[str, int], list[StoredFile]] = defaultdict(list)
    for file in files:
        if file.bytes < SIZES[-1]:
            alike[file.day, next(size for size in SIZES if file.bytes < size)].append(file)
    for (day, _), group in alike.items():
        is_over = date.fromisoformat(day) < today - timedelta(days=1)
        if len(group) >= (2 if is_over else MERGED_FILES):
            yield from (part for part in _parts(group) if len(part) > 1)


def _parts(files: Iterable[StoredFile]) -> list[list[StoredFile]]:
    parts: list[list[StoredFile]] = []
    filled = LARGEST
    for file in files:
        if filled + file.bytes > LARGEST:
            parts.append([])
            filled = 0
        parts[-1].append(file)
        filled += file.bytes
    return parts
