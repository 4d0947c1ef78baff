"""DuckDB on this machine, in this process."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import duckdb
import narwhals as nw
import pyarrow as pa
from deltalake import DeltaTable

from routing.lake.engines.engine import Frame
from routing.lake.schema import LakeTable

OF_STREAMS = {"memory_limit": "512MB", "enable_progress_bar": "false"}
"""How a stream is made, however long; what it is read from has memory of its own."""


class Duck:
    """An engine; see `Engine`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def table(self, table: LakeTable, delta: DeltaTable | None) -> Frame:
        """All rows of a table at the version that is open; none where it does not exist."""
        if delta is None:
            return self.rows(table.schema.empty_table())
        # An older table has its columns in another order, or lacks some until a collector of this release opens it.
        found = self._files(table, delta.file_uris())
        return nw.from_native(found or self.connection.from_arrow(delta.to_pyarrow_dataset(schema=table.schema)))

    def files(self, table: LakeTable, paths: Sequence[str]) -> Frame | None:
        """The rows of some files of a table; None where only the whole table can be read."""
        if not paths:
            return self.table(table, None)
        found = self._files(table, paths)
        return None if found is None else nw.from_native(found)

    def rows(self, rows: pa.Table) -> Frame:
        """A few rows, to be joined with others."""
        return nw.from_native(self.connection.from_arrow(rows))

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, because several others are made of it."""
        return self.rows(frame.collect("pyarrow").to_native())

    def with_milliseconds(self, frame: Frame, **pairs: tuple[str, str]) -> Frame:
        """A frame with columns of the milliseconds, whole ones, from one time to another."""
        between = {name: nw.col(later) - nw.col(earlier) for name, (earlier, later) in pairs.items()}
        return frame.with_columns(**{name: each.dt.total_milliseconds() for name, each in between.items()})

    def stream(self, frame: Frame, rows: int) -> pa.RecordBatchReader:
        """A frame in batches of so many rows at most. What has no room in memory waits on the disk."""
        for name, value in {**OF_STREAMS, "temp_directory": tempfile.gettempdir()}.items():
            self.connection.execute(f"SET {name} = '{value}'")
        return frame.to_native().to_arrow_reader(rows)

    def _files(self, table: LakeTable, paths: Sequence[str]) -> duckdb.DuckDBPyRelation | None:
        """Files of a table, read by DuckDB itself, which takes half the time; None unless they are local.

        Files from before a column was added lack it, which only the table's own schema can make up for.
        """
        if not paths or not Path(paths[0]).is_absolute():
            return None
        # A table tells its files as addresses, in which a blank is written otherwise.
        files = [unquote(path) for path in paths]
        relation = self.connection.read_parquet(files, hive_partitioning=True, union_by_name=True)
        known = set(relation.columns) >= set(table.schema.names)
        return relation.select(*table.schema.names) if known else None


@contextmanager
def open_duck(threads: int) -> Iterator[Duck]:
    """One for the length of a question. Starts threads."""
    with duckdb.connect(config={"threads": threads, "autoinstall_known_extensions": False}) as connection:
        yield Duck(connection)
