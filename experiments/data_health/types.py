"""What a report of the data is made of."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controlplane.problems.problem import HasProblem, Problem
from experiments.data_health.shares import Shares
from routing.edges.lost_rows import LostRows
from routing.lake.care import CareFailure
from routing.lake.edge_rows import Gaps


@dataclass(frozen=True, slots=True)
class EdgeHealth:
    """One edge: when it was heard from, its newest request in the lake, and how late that was collected.

    `waiting` counts batches in Redis that are not in the lake yet. `gaps` are batches that were gone before they were
    collected, `lost` rows that the edge could not record.
    """

    name: str
    heard_at: datetime
    newest: datetime | None
    lag: timedelta | None
    waiting: int
    gaps: Gaps | None
    lost: tuple[LostRows, ...]

    @property
    def lag_seconds(self) -> float | None:
        """The lag as a number."""
        return None if self.lag is None else self.lag.total_seconds()


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table of the lake or the database; `a_day` is what it grew by in bytes, None while that is not known."""

    subject: str
    at: datetime
    rows: int
    bytes: int
    files: int | None
    a_day: int | None


@dataclass(frozen=True, slots=True)
class TidyState:
    """When a table of the lake was last put in order, and what keeps it from that now."""

    table: str
    at: datetime | None
    failure: CareFailure | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: batches of requests and of outcomes, and files that are being imported, with their bytes."""

    requests: int
    outcomes: int
    imports: int
    import_bytes: int
    import_since: datetime | None


@dataclass(frozen=True, slots=True)
class HealthProblem(HasProblem):
    """What is wrong with the data: of what, and what to do next."""

    about: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All of it, as it was told and counted last."""

    at: datetime
    edges: tuple[EdgeHealth, ...]
    shares: Shares | None
    sizes: tuple[TableSize, ...]
    tidied: tuple[TidyState, ...]
    backlog: Backlog
    problems: tuple[HealthProblem, ...] = ()

    def with_problems(self, problems: tuple[HealthProblem, ...]) -> "HealthReport":
        """The same, with what is wrong."""
        return replace(self, problems=problems)
