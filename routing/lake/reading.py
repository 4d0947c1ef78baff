"""The lake as narwhals frames on DuckDB, for the length of one question.

Everything that names an engine is here: the frames and what is built on them are the same on Spark.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import narwhals as nw
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from controlplane.problems.errors import Unavailable
from routing.lake.added import files_added
from routing.lake.delta_tables import NO_VERSION, find_table
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable

THREADS = 2
OF_STREAMS = {"memory_limit": "512MB", "enable_progress_bar": "false"}
"""How a stream is made, however long; what it is read from has memory of its own."""

Frame = nw.LazyFrame[Any]


@dataclass(frozen=True, slots=True)
class LakeVersion:
    """A version of each table; `NO_VERSION` (-1) before the table exists. Reading it again gives the same rows."""

    requests: int
    outcomes: int


class Reading:
    """The two tables at one version. What is not asked for is not opened: to open it, each of its files is."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, requests: DeltaTable | None, outcomes: DeltaTable | None
    ) -> None:
        self.connection = connection
        self._requests = requests
        self._outcomes = outcomes

    @cached_property
    def version(self) -> LakeVersion:
        """That of both tables."""
        return LakeVersion(_version(self._requests), _version(self._outcomes))

    @property
    def identity(self) -> str:
        """That of the table of requests: another one has other rows at the same version."""
        return str(self._requests.metadata().id) if self._requests else ""

    @cached_property
    def requests(self) -> Frame:
        """All requests."""
        return _frame(self.connection, REQUESTS, self._requests)

    @cached_property
    def outcomes(self) -> Frame:
        """All outcomes."""
        return _frame(self.connection, OUTCOMES, self._outcomes)

    def requests_since(self, version: int) -> Frame | None:
        """The requests that came in after a version of their table; None where the lake cannot tell."""
        if version > self.version.requests:
            return None
        if self._requests is None or version == self.version.requests:
            return _nothing(self.connection, REQUESTS)
        if version == NO_VERSION:
            return self.requests
        files = files_added(self._requests, version)
        if not files:
            return None if files is None else _nothing(self.connection, REQUESTS)
        relation = _files(self.connection, REQUESTS, files)
        return None if relation is None else nw.from_native(relation)

    def stream(self, frame: Frame, rows: int) -> pa.RecordBatchReader:
        """A frame in batches of so many rows at most. What has no room in memory waits on the disk."""
        for name, value in {**OF_STREAMS, "temp_directory": tempfile.gettempdir()}.items():
            self.connection.execute(f"SET {name} = '{value}'")
        return frame.to_native().to_arrow_reader(rows)

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, because several others are made of it."""
        return nw.from_native(self.connection.from_arrow(frame.collect("pyarrow").to_native()))


@contextmanager
def read_lake(lake_url: str, as_of: LakeVersion | None = None, threads: int = THREADS) -> Iterator[Reading]:
    """Open the lake at a version, the newest unless told otherwise; a table that does not exist is empty.

    Starts threads: not to be used before a fork.

    Raises:
        InvalidInput: `lake-version-unknown`, see `routing.lake.delta_tables.find_table`.
        Unavailable: `lake-unavailable`, the lake cannot be read now.

    """
    try:
        requests = find_table(lake_url, REQUESTS, as_of.requests if as_of else None)
        outcomes = find_table(lake_url, OUTCOMES, as_of.outcomes if as_of else None)
        with duckdb.connect(config={"threads": threads, "autoinstall_known_extensions": False}) as connection:
            yield Reading(connection, requests, outcomes)
    except (DeltaError, OSError, duckdb.Error) as error:
        raise Unavailable(
            "lake-unavailable",
            f"The lake at {lake_url} cannot be read: {error}",
            next_step="Check that the folder or object store can be reached; the next analysis tries again.",
        ) from error


def _version(delta: DeltaTable | None) -> int:
    return NO_VERSION if delta is None else delta.version()


def _frame(connection: duckdb.DuckDBPyConnection, table: LakeTable, delta: DeltaTable | None) -> Frame:
    if delta is None:
        return _nothing(connection, table)
    relation = _files(connection, table, delta.file_uris())
    # An older table has its columns in another order, or lacks some until a collector of this release opens it.
    return nw.from_native(relation or connection.from_arrow(delta.to_pyarrow_dataset(schema=table.schema)))


def _nothing(connection: duckdb.DuckDBPyConnection, table: LakeTable) -> Frame:
    return nw.from_native(connection.from_arrow(table.schema.empty_table()))


def _files(
    connection: duckdb.DuckDBPyConnection, table: LakeTable, paths: Sequence[str]
) -> duckdb.DuckDBPyRelation | None:
    """Files of a table, read by DuckDB itself, which takes half the time; None unless they are local.

    Files from before a column was added lack it, which only the table's own schema can make up for.
    """
    if not paths or not Path(paths[0]).is_absolute():
        return None
    # A table tells its files as addresses, in which a blank is written otherwise.
    relation = connection.read_parquet([unquote(path) for path in paths], hive_partitioning=True, union_by_name=True)
    known = set(relation.columns) >= set(table.schema.names)
    return relation.select(*table.schema.names) if known else None
