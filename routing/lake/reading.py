"""The lake as narwhals frames on DuckDB, for the length of one question.

Everything that names an engine is here: the frames and what is built on them are the same on Spark.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from controlplane.problems.errors import Unavailable
from routing.lake.delta_tables import NO_VERSION, find_table
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable

THREADS = 2

Frame = nw.LazyFrame[Any]


@dataclass(frozen=True, slots=True)
class LakeVersion:
    """A version of each table; `NO_VERSION` (-1) before the table exists. Reading it again gives the same rows."""

    requests: int
    outcomes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The two tables at one version."""

    requests: Frame
    outcomes: Frame
    version: LakeVersion
    connection: duckdb.DuckDBPyConnection

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
            yield Reading(
                _frame(connection, REQUESTS, requests),
                _frame(connection, OUTCOMES, outcomes),
                LakeVersion(_version(requests), _version(outcomes)),
                connection,
            )
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
        return nw.from_native(connection.from_arrow(table.schema.empty_table()))
    return nw.from_native(_files(connection, table, delta) or connection.from_arrow(delta.to_pyarrow_dataset()))


def _files(
    connection: duckdb.DuckDBPyConnection, table: LakeTable, delta: DeltaTable
) -> duckdb.DuckDBPyRelation | None:
    """The files of the version, read by DuckDB itself, which takes half the time; None unless they are local.

    Files from before a column was added lack it, which only the table's own schema can make up for.
    """
    paths = delta.file_uris()
    if not paths or not Path(paths[0]).is_absolute():
        return None
    relation = connection.read_parquet(paths, hive_partitioning=True, union_by_name=True)
    known = set(relation.columns) >= set(table.schema.names)
    return relation.select(*table.schema.names) if known else None
