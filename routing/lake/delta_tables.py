"""The lake: Delta tables in a folder or an object store, appended to exactly once.

An object store's credentials and endpoint come from the environment, under the names that its
provider gives them (for example AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL).

Reading, writing and tidying all start threads: use nothing here before a fork.
"""

from collections.abc import Mapping

import pyarrow as pa
import structlog
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Schema,
    Transaction,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from controlplane.problems.errors import Conflict, InvalidInput
from routing.lake.schema import PARTITION, LakeTable

log = structlog.get_logger()

NO_VERSION = -1

CHECKPOINT_COMMITS = 100

HISTORY = ("delta.logRetentionDuration", "delta.deletedFileRetentionDuration")
"""What Delta Lake calls how long old versions can be read. Whoever keeps a table in order sets it."""


class Superseded(Conflict):
    """Another writer committed the same batches first; open the table anew and look how far it is."""


def table_url(lake_url: str, table: LakeTable) -> str:
    """Where a table of the lake lies."""
    return f"{lake_url.rstrip('/')}/{table.name}"


def open_table(lake_url: str, table: LakeTable) -> DeltaTable:
    """The newest version of a table, created when there is none, with the columns and the metadata that it lacks."""
    found = find_table(lake_url, table)
    if found is not None:
        return _as_described(_with_new_columns(found, table), table)
    return DeltaTable.create(
        table_url(lake_url, table),
        table.described,
        mode="ignore",
        partition_by=[PARTITION],
        description=table.meaning,
        configuration=configuration(table),
    )


def configuration(table: LakeTable) -> dict[str, str]:
    """What Delta Lake itself does with a table.

    Its log says when rows are of, and of no other column anything: it would be as large as the rows, and name users
    that were erased.
    """
    return {
        "delta.checkpointInterval": str(CHECKPOINT_COMMITS),
        "delta.dataSkippingStatsColumns": table.clock,
    }


def _with_new_columns(delta: DeltaTable, table: LakeTable) -> DeltaTable:
    known = {field.name for field in delta.schema().fields}
    wanted = Schema.from_arrow(table.described).fields
    missing = [field for field in wanted if field.name not in known]
    if missing:
        delta.alter.add_columns(missing)
        log.info("columns added to the lake", table=table.name, columns=[field.name for field in missing])
    return delta


def _as_described(delta: DeltaTable, table: LakeTable) -> DeltaTable:
    """Tell what the table and its columns mean, where an older release told less."""
    told = {field.name: field.metadata.get("comment") for field in delta.schema().fields}
    for name, comment in table.comments.items():
        if told[name] != comment:
            delta.alter.set_column_metadata(name, {"comment": comment})
    if delta.metadata().description != table.meaning:
        delta.alter.set_table_description(table.meaning)
    wanted = configuration(table)
    if wanted.items() - delta.metadata().configuration.items():
        delta.alter.set_table_properties(wanted)
    return delta


def find_table(lake_url: str, table: LakeTable, version: int | None = None) -> DeltaTable | None:
    """A version of a table, the newest unless told otherwise; None when the table does not exist.

    `NO_VERSION` names the time before the table existed, so it finds none.

    Raises:
        InvalidInput: `lake-version-unknown`, the table has no such version (any more).
        DeltaError, OSError: the lake does not answer.

    """
    if version == NO_VERSION:
        return None
    try:
        delta = DeltaTable(table_url(lake_url, table))
    except TableNotFoundError:
        return None
    if version is not None and version != delta.version():
        _go_back(delta, table, version)
    return delta


def _go_back(delta: DeltaTable, table: LakeTable, version: int) -> None:
    try:
        delta.load_as_version(version)
    except DeltaError as error:
        raise InvalidInput(
            "lake-version-unknown",
            f"The lake's table {table.name} has no version {version}.",
            next_step="Use a version that is kept yet (SLUICE_LAKE_HISTORY_HOURS), or leave it out to read the newest.",
        ) from error


def positions(delta: DeltaTable, streams: set[str]) -> dict[str, int]:
    """How far each stream is in this version of the table; 0 when nothing of it is."""
    return {stream: delta.transaction_version(stream) or 0 for stream in streams}


def append(delta: DeltaTable, rows: pa.Table, reached: Mapping[str, int]) -> None:
    """Add rows, and remember the position reached in each stream, in one commit.

    Raises:
        Superseded: a stream's position was moved by someone else after `delta` was opened.

    """
    transactions = [Transaction(stream, position) for stream, position in reached.items()]
    try:
        write_deltalake(
            delta,
            rows,
            mode="append",
            commit_properties=CommitProperties(app_transactions=transactions),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
        )
    except CommitFailedError as error:
        raise Superseded(
            "lake-commit-superseded",
            f"Another writer committed to {delta.table_uri} first: {error}",
            next_step="Nothing is lost or doubled; open the table anew and go on from its positions.",
        ) from error
