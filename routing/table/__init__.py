"""The routing table: an immutable, versioned snapshot of all endpoints, and the only thing an edge reads."""

from routing.table.problems import RESERVED_PATH, problems
from routing.table.segments import covered, segments
from routing.table.text import TableUnreadableError, digest, from_json, to_json
from routing.table.types import (
    BUCKETS,
    FULL_COVERAGE,
    Arm,
    Backend,
    Endpoint,
    Problem,
    RunningExperiment,
    Segment,
    Table,
    Unit,
    UnitSource,
)

__all__ = [
    "BUCKETS",
    "FULL_COVERAGE",
    "RESERVED_PATH",
    "Arm",
    "Backend",
    "Endpoint",
    "Problem",
    "RunningExperiment",
    "Segment",
    "Table",
    "TableUnreadableError",
    "Unit",
    "UnitSource",
    "covered",
    "digest",
    "from_json",
    "problems",
    "segments",
    "to_json",
]
