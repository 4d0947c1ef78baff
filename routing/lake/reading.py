"""The lake as narwhals frames, for the length of one question.

Whole tables are read by DuckDB on this machine or, where told so, by Spark; what came in since a version is little, and
is always read here. The frames, and what is built on them, are the same on both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from controlplane.problems.errors import Unavailable
from routing.lake.added import files_added
from routing.lake.delta_tables import NO_VERSION, find_table
from routing.lake.engines import duck, spark
from routing.lake.engines.engine import Engine, Frame
from routing.lake.schema import OUTCOMES, REQUESTS

__all__ = ["THREADS", "Frame", "LakeVersion", "Reading", "read_lake"]

THREADS = 2


@dataclass(frozen=True, slots=True)
class LakeVersion:
    """A version of each table; `NO_VERSION` (-1) before the table exists. Reading it again gives the same rows."""

    requests: int
    outcomes: int


class Reading:
    """The two tables at one version. What is not asked for is not opened: to open it, each of its files is."""

    def __init__(
        self, here: duck.Duck, whole: Engine, requests: DeltaTable | None, outcomes: DeltaTable | None
    ) -> None:
        self._here = here
        self._whole = whole
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

    @property
    def is_here(self) -> bool:
        """Whether this machine reads whole tables too."""
        return self._whole is self._here

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """That to this machine's DuckDB, for questions of its own."""
        return self._here.connection

    @cached_property
    def requests(self) -> Frame:
        """All requests."""
        return self._whole.table(REQUESTS, self._requests)

    @cached_property
    def outcomes(self) -> Frame:
        """All outcomes."""
        return self._whole.table(OUTCOMES, self._outcomes)

    @property
    def requests_to_stream(self) -> Frame:
        """All requests, for `stream`."""
        return self._here.table(REQUESTS, self._requests)

    def requests_since(self, version: int) -> Frame | None:
        """The requests that came in after a version of their table, for `stream`; None where the lake cannot tell."""
        if version > self.version.requests:
            return None
        if self._requests is None or version == self.version.requests:
            return self._here.table(REQUESTS, None)
        if version == NO_VERSION:
            return self.requests_to_stream
        files = files_added(self._requests, version)
        return None if files is None else self._here.files(REQUESTS, files)

    def stream(self, frame: Frame, rows: int) -> pa.RecordBatchReader:
        """A frame of this machine in batches of so many rows at most."""
        return self._here.stream(frame, rows)

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, because several others are made of it."""
        return self._whole.keep(frame)

    def rows(self, rows: pa.Table) -> Frame:
        """A few rows, to be joined with others."""
        return self._whole.rows(rows)

    def with_milliseconds(self, frame: Frame, **pairs: tuple[str, str]) -> Frame:
        """A frame with columns of the milliseconds from one time to another, by the names of their columns."""
        return self._whole.with_milliseconds(frame, **pairs)


@contextmanager
def read_lake(
    lake_url: str, as_of: LakeVersion | None = None, threads: int = THREADS, spark_master: str = ""
) -> Iterator[Reading]:
    """Open the lake at a version, the newest unless told otherwise; a table that does not exist is empty.

    With `spark_master` Spark reads whole tables. Starts threads: not to be used before a fork.

    Raises:
        InvalidInput: `lake-version-unknown`, see `routing.lake.delta_tables.find_table`.
        Unavailable: `lake-unavailable`, the lake cannot be read now; as `routing.lake.engines.spark.open_spark`.

    """
    try:
        requests = find_table(lake_url, REQUESTS, as_of.requests if as_of else None)
        outcomes = find_table(lake_url, OUTCOMES, as_of.outcomes if as_of else None)
        with duck.open_duck(threads) as here:
            if not spark_master:
                yield Reading(here, here, requests, outcomes)
                return
            with spark.open_spark(spark_master) as whole:
                yield Reading(here, whole, requests, outcomes)
    except (DeltaError, OSError, duckdb.Error) as error:
        raise Unavailable(
            "lake-unavailable",
            f"The lake at {lake_url} cannot be read: {error}",
            next_step="Check that the folder or object store can be reached; the next analysis tries again.",
        ) from error


def _version(delta: DeltaTable | None) -> int:
    return NO_VERSION if delta is None else delta.version()
