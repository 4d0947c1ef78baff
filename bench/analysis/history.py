"""A lake that grows by ticks, and what a worker's process takes to collect evidence from it."""

import resource
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.evidence.__main__ import OF_REQUESTS, START, request_rows
from experiments.evidence import CollectedEvidence, MetricDefinition, collect_evidence
from experiments.evidence.state.carried import Carried
from experiments.stats.core.types import MetricType
from experiments.stats.sequential.starts import STEPS, starts_in_use
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS

TICK = timedelta(seconds=10)
SPACING = timedelta(milliseconds=2)
COMMITS = 10
ROWS_OF_A_FILE = 500_000
REQUESTS_OF_A_USER = 20
ARMS = ("control", "candidate", "other")
METRICS = (
    *OF_REQUESTS,
    MetricDefinition("failed users", MetricType.PROPORTION, "errors"),
    MetricDefinition("slow", MetricType.RATIO, "above(duration_ms, 1000)", "count(duration_ms)"),
    MetricDefinition("rejected", MetricType.RATIO, "client_errors", "requests"),
    MetricDefinition("tokens", MetricType.RATIO, "completion_tokens", "requests"),
    MetricDefinition("prompt", MetricType.MEAN, "prompt_tokens"),
    MetricDefinition("a user's requests", MetricType.MEAN, "requests"),
)


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of evidence at the end of a history: what it took, and what it found.

    `seconds` went by, of which its process computed for `cpu_seconds`; `megabytes` is the most memory that the process
    ever had.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float
    found: CollectedEvidence


class History:
    """A lake of so many requests, one each 2 ms, of a user in 20 of them, which grows by ticks.

    The users of one experiment are not those of another.
    """

    def __init__(self, directory: str, requests: int, experiments: int = 1) -> None:
        self.directory = directory
        self.requests = 0
        self._experiments = np.array([f"bench-{number}" for number in range(experiments)])
        self._random = np.random.default_rng(1)
        self._units = self._random.integers(-(2**63), 2**63 - 1, max(requests // REQUESTS_OF_A_USER, 10))
        self._delta = delta_tables.open_table(directory, REQUESTS)
        self.grow(requests, -(-requests // ROWS_OF_A_FILE))

    @property
    def users(self) -> int:
        """All that there are."""
        return len(self._units)

    @property
    def experiments(self) -> list[str]:
        """Their keys."""
        return [str(each) for each in self._experiments]

    def grow(self, count: int, commits: int = COMMITS) -> None:
        """So many more requests, as the collector commits them."""
        for part in np.array_split(np.arange(count), commits):
            users = self._random.integers(0, len(self._units), len(part))
            rows = request_rows(self._random, self._units, users, self.requests, ARMS)
            keys = pa.array(self._experiments[users // len(ARMS) % len(self._experiments)])
            place = rows.schema.get_field_index("experiment")
            self.requests += len(part)
            rows = rows.set_column(place, rows.schema.field(place), keys)
            delta_tables.append(self._delta, rows, {"bench": self.requests + 1})

    def kept_megabytes(self) -> float:
        """Size of what is carried."""
        return sum(path.stat().st_size for path in (Path(self.directory) / "state").iterdir()) / 2**20


def collect(directory: str, requests: int, experiment: str = "bench-0", *, carried: bool = True) -> Collection:
    """Evidence of an experiment at the end of a history."""
    now = START + requests * SPACING
    kept = Carried(Path(directory) / "state" / experiment, _starts(now, STEPS)) if carried else None
    began, computed = time.perf_counter(), time.process_time()
    found = collect_evidence(directory, experiment, START, METRICS, now=now, starts=_starts(now), carried=kept)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - computed
    return Collection(seconds, cpu_seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, found)


def _starts(now: datetime, ticks_later: int = 0) -> tuple[datetime, ...]:
    return tuple(START + start.ticks * TICK for start in starts_in_use((now - START) / TICK + ticks_later))
