"""What reads tables of the lake, whichever it is."""

from typing import Any, Protocol

import narwhals as nw
import pyarrow as pa
from deltalake import DeltaTable

from routing.lake.schema import LakeTable

Frame = nw.LazyFrame[Any]


class Engine(Protocol):
    """Frames of tables, and what narwhals has no word for on every engine."""

    def table(self, table: LakeTable, delta: DeltaTable | None) -> Frame:
        """All rows of a table at the version that is open; none where it does not exist."""

    def rows(self, rows: pa.Table) -> Frame:
        """A few rows, to be joined with others."""

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, because several others are made of it."""

    def with_milliseconds(self, frame: Frame, **pairs: tuple[str, str]) -> Frame:
        """A frame with columns of the milliseconds, whole ones, from one time to another."""
