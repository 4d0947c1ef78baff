"""Keeping the files of a table few."""

from collections import defaultdict
from collections.abc import Iterable

import structlog
from deltalake.exceptions import DeltaError

from routing.lake.delta_tables import Superseded, open_table
from routing.lake.rewriting import StoredFile, commit_rewrite, rewritten, stored_files
from routing.lake.schema import LakeTable

log = structlog.get_logger()

# Small files are merged often into middling ones and those seldom into large ones, so that the
# rows of a day are written a few times and not once for every merge.
MERGES = {64: 4 << 20, 4096: 64 << 20}


def merge_due(before: int, after: int) -> int | None:
    """Which of MERGES is due after the commits from one version to another, if any."""
    return max((commits for commits in MERGES if before // commits != after // commits), default=None)


def merge(lake_url: str, table: LakeTable, commits: int) -> None:
    """Merge small files; with the rarest of MERGES, also remove what is past its retention.

    Failing is harmless, and so is another one at the same time: the next merge does the work of both.
    """
    try:
        delta = open_table(lake_url, table)
        if groups := small_files(stored_files(delta), MERGES[commits]):
            commit_rewrite(delta, rewritten(delta, table, groups))
        if commits == max(MERGES):
            # A version from before the merge does not know its files, and would take them for leftovers.
            delta.update_incremental()
            delta.vacuum(dry_run=False, full=True)
            delta.cleanup_metadata()
    except (DeltaError, OSError, Superseded) as error:
        log.warning("merge of the lake postponed", table=table.name, reason=str(error))


def small_files(files: Iterable[StoredFile], target_bytes: int) -> list[list[StoredFile]]:
    """Groups of files of one day that together make one of at most about that size."""
    days: defaultdict[str, list[StoredFile]] = defaultdict(list)
    for file in files:
        if file.bytes < target_bytes:
            days[file.day].append(file)
    return [group for of_day in days.values() for group in _groups(of_day, target_bytes) if len(group) > 1]


def _groups(files: Iterable[StoredFile], target_bytes: int) -> list[list[StoredFile]]:
    groups: list[list[StoredFile]] = []
    filled = target_bytes
    for file in files:
        if filled + file.bytes > target_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(file)
        filled += file.bytes
    return groups
