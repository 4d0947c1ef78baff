"""What arrived in an installation's lake."""

from collections import Counter
from pathlib import Path

from deltalake import DeltaTable


def request_ids(directory: Path) -> Counter[str]:
    """How often each request is in the lake."""
    return Counter(_column(directory, "requests", "request_id"))


def outcome_ids(directory: Path) -> Counter[str]:
    """How often each outcome is in the lake."""
    return Counter(_column(directory, "outcomes", "id"))


def _column(directory: Path, table: str, column: str) -> list[str]:
    folder = directory / "lake" / table
    if not (folder / "_delta_log").exists():
        return []
    values: list[str] = DeltaTable(folder).to_pyarrow_table(columns=[column])[column].to_pylist()
    return values
