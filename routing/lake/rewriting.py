"""Files of a table are replaced by others: of those who do it at once, one commits and the others fail.

A rewrite is written beside the files in use, and takes their place in one commit. deltalake commits a
merge without looking for another one of the same files, and their rows would be doubled. So each rewrite
also moves one transaction of the table: whoever read the table before that finds the commit refused,
however long it was away meanwhile. Rows that are appended beside a rewrite are no conflict.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from pyarrow import dataset
from pyarrow.fs import FileInfo, FileSelector, FileType, PyFileSystem

from routing.lake.delta_tables import Superseded
from routing.lake.schema import PARTITION, LakeTable

FENCE = "sluice:rewrite"

GROUP_ROWS = 512 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a version of a table consists of."""

    path: str
    day: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What takes the place of what, once it is committed."""

    old: tuple[StoredFile, ...]
    new: tuple[AddAction, ...]
    changes_rows: bool


def stored_files(delta: DeltaTable) -> list[StoredFile]:
    """The files of this version, oldest first."""
    return [
        StoredFile(file["path"], str(file["partition"][PARTITION]), file["size_bytes"], file["num_records"])
        for file in reversed(pa.table(delta.get_add_actions()).to_pylist())
    ]


def rewritten(
    delta: DeltaTable,
    table: LakeTable,
    groups: Iterable[Sequence[StoredFile]],
    keep: pc.Expression | None = None,
) -> Rewrite:
    """Write each group of files as one, with the rows to keep; nobody reads it before it is committed."""
    groups = [tuple(group) for group in groups]
    new = [added for group in groups for added in _write(delta, table, group, keep)]
    return Rewrite(tuple(file for group in groups for file in group), tuple(new), keep is not None)


def commit_rewrite(delta: DeltaTable, rewrite: Rewrite) -> None:
    """Put the new files in the place of the old ones; `delta` is the version that was rewritten.

    Raises:
        Superseded: others were rewritten, or rows were taken out, since that version.

    """
    removed = [
        RemoveAction(file.path, rewrite.changes_rows, _now(), file.bytes, {PARTITION: file.day}) for file in rewrite.old
    ]
    fence = Transaction(FENCE, (delta.transaction_version(FENCE) or 0) + 1)
    try:
        delta.create_write_transaction(
            [*removed, *rewrite.new],
            "append",
            delta.schema(),
            [PARTITION],
            commit_properties=CommitProperties(app_transactions=[fence]),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
        )
    except CommitFailedError as error:
        raise Superseded(
            "lake-commit-superseded",
            f"Others rewrote files of {delta.table_uri} first: {error}",
            next_step="Nothing is lost or doubled; the next merge reads the table anew.",
        ) from error


def rows_of(delta: DeltaTable, files: Sequence[StoredFile]) -> dataset.Dataset:
    """The rows of some files, with all columns that the table has now but for the partition."""
    columns = pa.schema(field for field in pa.schema(delta.schema().to_arrow()) if field.name != PARTITION)
    return dataset.dataset([file.path for file in files], columns, dataset.ParquetFileFormat(), storage(delta))


def files_on_disk(delta: DeltaTable) -> list[FileInfo]:
    """All that lies in the table's folder: files in use, files of old versions, leftovers and the log."""
    found = storage(delta).get_file_info(FileSelector("", recursive=True))
    return [file for file in found if file.type is FileType.File]


def storage(delta: DeltaTable) -> PyFileSystem:
    """The table's folder, wherever it is."""
    return PyFileSystem(DeltaStorageHandler(delta.table_uri))


def _write(
    delta: DeltaTable, table: LakeTable, files: Sequence[StoredFile], keep: pc.Expression | None
) -> list[AddAction]:
    """Stream the rows of one day from file to file; no file is written when no row is to be kept."""
    written: list[dataset.WrittenFile] = []
    parquet = dataset.ParquetFileFormat()
    dataset.write_dataset(
        rows_of(delta, files).scanner(filter=keep, batch_readahead=2, fragment_readahead=1, use_threads=False),
        f"{PARTITION}={files[0].day}",
        basename_template=f"part-{uuid4()}-{{i}}.zstd.parquet",
        format=parquet,
        file_options=parquet.make_write_options(compression="zstd"),
        filesystem=storage(delta),
        preserve_order=True,
        min_rows_per_group=GROUP_ROWS,
        max_rows_per_group=GROUP_ROWS * 2,
        create_dir=False,
        existing_data_behavior="overwrite_or_ignore",
        file_visitor=written.append,
    )
    return [
        AddAction(file.path, file.size, {PARTITION: files[0].day}, _now(), keep is not None, _statistics(table, file))
        for file in written
        if file.metadata.num_rows
    ]


def _statistics(table: LakeTable, file: dataset.WrittenFile) -> str:
    """What other readers use to leave a file out: how many rows, and of what time."""
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    clock = [group.column(file.metadata.schema.names.index(table.clock)).statistics for group in groups]
    return json.dumps(
        {
            "numRecords": file.metadata.num_rows,
            "minValues": {table.clock: _moment(min(group.min for group in clock))},
            "maxValues": {table.clock: _moment(max(group.max for group in clock))},
            "nullCount": {table.clock: 0},
        }
    )


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _now() -> int:
    return int(time.time() * 1000)
