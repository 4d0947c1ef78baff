"""Spark, in this process or on a cluster: where one machine is not enough for whole tables.

Which files a version of a table has is deltalake's to say, so that Spark needs nothing that knows of Delta Lake.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import narwhals as nw
import pyarrow as pa
from deltalake import DeltaTable

from controlplane.problems.errors import Unavailable
from routing.lake.engines.engine import Frame
from routing.lake.schema import PARTITION, TIME, LakeTable

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway
    from pyspark import SparkContext
    from pyspark.sql import DataFrame, SparkSession

APPLICATION = "sluice"

_starting = Lock()

OPTIONS = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false"}
"""What evidence depends on, and what nobody looks at. All else is the installation's to set, in SPARK_CONF_DIR."""

TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "STRING",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    TIME: "TIMESTAMP",
}
"""What Spark calls the types of columns."""


class Spark:
    """An engine; see `Engine`."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session
        self._kept: list[DataFrame] = []

    def table(self, table: LakeTable, delta: DeltaTable | None) -> Frame:
        """All rows of a table at the version that is open; none where it does not exist."""
        columns = ", ".join(f"`{field.name}` {TYPES[field.type]}" for field in table.schema)
        files = [_address(file) for file in delta.file_uris()] if delta is not None else []
        if delta is None or not files:
            return _frame(self._session.createDataFrame([], columns))
        root = files[0].rpartition(f"/{PARTITION}=")[0]
        # Files from before a column was added lack it, and it is null in them.
        return _frame(self._session.read.schema(columns).option("basePath", root).parquet(*files))

    def rows(self, rows: pa.Table) -> Frame:
        """A few rows, to be joined with others."""
        return _frame(self._session.createDataFrame(rows))

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, because several others are made of it."""
        kept = frame.to_native().persist()
        self._kept.append(kept)
        return _frame(kept)

    def with_milliseconds(self, frame: Frame, **pairs: tuple[str, str]) -> Frame:
        """A frame with columns of the milliseconds, whole ones, from one time to another."""
        from pyspark.sql import functions

        def between(earlier: str, later: str) -> Any:
            microseconds = functions.unix_micros(later) - functions.unix_micros(earlier)
            return (microseconds / 1000).cast("bigint")

        columns = {name: between(*pair) for name, pair in pairs.items()}
        return _frame(frame.to_native().withColumns(columns))

    def forget(self) -> None:
        """Give back the memory of what was kept."""
        for each in self._kept:
            each.unpersist()


@contextmanager
def open_spark(master: str) -> Iterator[Spark]:
    """One for the length of a question; the session behind it stays for the next. Starts a Java process.

    Raises:
        Unavailable: `spark-missing`, PySpark is not installed; `spark-failed`, it cannot start or answer now.

    """
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
    except ImportError as error:
        raise Unavailable(
            "spark-missing",
            "SLUICE_SPARK_MASTER is set, and PySpark is not installed.",
            next_step="Install Sluice with the extra `spark`, and a Java runtime; or leave the setting empty.",
        ) from error
    try:
        spark = Spark(_session(master))
        try:
            yield spark
        finally:
            spark.forget()
    except (PySparkException, Py4JError, ConnectionError) as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(
            "spark-failed",
            f"Spark at {master} did not answer: {reason}",
            next_step="Check that it runs and can read the lake, and see the log; the next analysis tries again.",
        ) from error


def _frame(native: "DataFrame") -> Frame:
    frame: Frame = nw.from_native(native)
    return frame


def _session(master: str) -> "SparkSession":
    """That of this process, which is made once, and once more when its Java process or its cluster gave it up."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    # Each of its connections is told of at the usual level.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with _starting:
        context = SparkContext._active_spark_context
        if context is not None and _is_over(context):
            _end(context._gateway)
            SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
            SparkSession._instantiatedSession = None
        return SparkSession.builder.appName(APPLICATION).master(master).config(map=OPTIONS).getOrCreate()


def _is_over(context: "SparkContext") -> bool:
    from py4j.protocol import Py4JError

    try:
        return bool(context._jsc.sc().isStopped())
    except (Py4JError, ConnectionError):
        return True


def _end(gateway: "JavaGateway") -> None:
    """Stop a Java process that answers nothing, and let go of what leads to it."""
    gateway.proc.kill()
    gateway.proc.communicate()
    gateway.shutdown()


def _address(file: str) -> str:
    """A file's address as Spark has it."""
    return unquote(file).replace("s3://", "s3a://", 1)
