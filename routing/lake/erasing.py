"""Rows of a unit are taken out of the lake, out of its old versions too.

    rewrite the files that have them  ->  fence  ->  remove all files that are not in use  ->  forget the old log

A file that is not in use may be one that somebody is about to commit. The fence changes the table's metadata, and
whoever read the table before it is refused. So what is not in use and is older than the fence never will be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import structlog
from deltalake.exceptions import CommitFailedError
from pyarrow.fs import FileInfo

from controlplane.problems.errors import Unavailable
from routing.lake.delta_tables import Superseded, find_table, open_table
from routing.lake.rewriting import commit_rewrite, files_on_disk, rewritten, rows_of, storage, stored_files
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable

log = structlog.get_logger()

ATTEMPTS = 20
FENCE = "sluice.erasures"
LOG = "_delta_log/"

# Whoever was held up between looking where the log ends and writing there has so long to find its place taken.
LOG_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """How many rows were taken out of each table."""

    requests: int
    outcomes: int


def erase(lake_url: str, unit: int) -> ErasedRows:
    """Take a unit's rows out of both tables, also outcomes that name one of its requests alone.

    No version from before can be read any more. Rows that come in later stay, so whoever must not come back has to be
    kept away first. May be repeated, and is when it was cut off. Starts threads.

    Raises:
        Unavailable: `erasure-superseded`, others rewrite the table all the time.
        DeltaError, OSError, ArrowException: the lake does not answer, or a file of it is broken.

    """
    of_unit = pc.field("unit") == unit
    of_its_requests = pc.field("unit").is_null() & pc.field("request_id").isin(_request_ids(lake_url, of_unit))
    # Requests go last: they tell which outcomes to take, also where this was cut off in between.
    outcomes = _erase_from(lake_url, OUTCOMES, of_unit | of_its_requests)
    requests = _erase_from(lake_url, REQUESTS, of_unit)
    return ErasedRows(requests, outcomes)


def _request_ids(lake_url: str, of_unit: pc.Expression) -> pa.Array:
    delta = find_table(lake_url, REQUESTS)
    if delta is None:
        return pa.array([], pa.string())
    files = stored_files(delta)
    found = rows_of(delta, files).to_table(columns=["request_id"], filter=of_unit, use_threads=False)
    return pa.array(found["request_id"].unique())


def _erase_from(lake_url: str, table: LakeTable, rows: pc.Expression) -> int:
    """Take out rows and all that is left of them; gives how many there were."""
    rows = pc.coalesce(rows, pa.scalar(False))
    if find_table(lake_url, table) is None:
        return 0
    erased = _take_out(lake_url, table, rows)
    _remove_what_is_old(lake_url, table)
    return erased


def _take_out(lake_url: str, table: LakeTable, rows: pc.Expression) -> int:
    for _ in range(ATTEMPTS):
        delta = open_table(lake_url, table)
        counts = {file: rows_of(delta, [file]).count_rows(filter=rows) for file in stored_files(delta)}
        holding = [file for file, count in counts.items() if count]
        if not holding:
            return 0
        try:
            commit_rewrite(delta, rewritten(delta, table, [[file] for file in holding], ~rows))
        except Superseded as error:
            log.info("erasure begins anew", table=table.name, reason=error.detail)
        else:
            return sum(counts.values())
    raise _superseded(table)


def _superseded(table: LakeTable) -> Unavailable:
    return Unavailable(
        "erasure-superseded",
        f"Others wrote to the table {table.name} first, {ATTEMPTS} times, while rows were taken out.",
        next_step="Nothing is lost; it is tried again by itself.",
    )


def _remove_what_is_old(lake_url: str, table: LakeTable) -> None:
    fence = _fence(lake_url, table)
    delta = open_table(lake_url, table)
    folder, in_use = storage(delta), {file.path for file in stored_files(delta)}
    there = files_on_disk(delta)
    fenced_at = next(file.mtime for file in there if file.path == _log_entry(fence))
    delta.create_checkpoint()
    for file in there:
        is_leftover = file.path.endswith(".parquet") and file.path not in in_use and file.mtime <= fenced_at
        if _is_old_log(file, fence, fenced_at) if file.path.startswith(LOG) else is_leftover:
            folder.delete_file(file.path)


def _fence(lake_url: str, table: LakeTable) -> int:
    """Change the metadata, so that who read the table before is refused; gives the version since which it is so."""
    for _ in range(ATTEMPTS):
        delta = open_table(lake_url, table)
        count = int(delta.metadata().configuration.get(FENCE) or 0) + 1
        try:
            delta.alter.set_table_properties({FENCE: str(count)}, raise_if_not_exists=False)
        except CommitFailedError:
            continue
        return delta.version()
    raise _superseded(table)


def _log_entry(version: int) -> str:
    return f"{LOG}{version:020}.json"


def _is_old_log(file: FileInfo, fence: int, fenced_at: datetime) -> bool:
    """Whether it tells of versions before the fence. Old releases told of each file its smallest and largest unit."""
    version = file.base_name.partition(".")[0]
    return version.isdecimal() and int(version) < fence and file.mtime <= fenced_at - LOG_AGE
