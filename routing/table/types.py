"""What a routing table is made of."""

from dataclasses import dataclass
from enum import StrEnum

BUCKETS = 10_000
FULL_COVERAGE = 10_000


class UnitSource(StrEnum):
    """Where a request carries its unit."""

    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Unit:
    """Where an endpoint finds the unit: a header's name, or the dotted path of a field in a JSON body."""

    source: UnitSource
    name: str


@dataclass(frozen=True, slots=True)
class Backend:
    """A deployed model version: addresses like `http://host:port`, prices a million tokens."""

    key: str
    protocol: str
    addresses: tuple[str, ...]
    health_path: str
    prompt_price: float
    completion_price: float


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant with its backend and its span of buckets, `start` included and `end` not."""

    variant: str
    backend: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RunningExperiment:
    """An experiment's arms, and how much of each arm's span is in: `coverage` in 1/10 000."""

    key: str
    stage: int
    coverage: int
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A public path, the backend behind it, and the experiments that run on it."""

    key: str
    path_prefix: str
    unit: Unit
    salt: str
    backend: str
    timeout_seconds: int
    experiments: tuple[RunningExperiment, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All endpoints and backends at one version."""

    version: int
    endpoints: tuple[Endpoint, ...]
    backends: tuple[Backend, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of neighbouring buckets with one fate; without an experiment it is not measured."""

    weight: int
    backend: str
    experiment: str | None = None
    variant: str | None = None
    stage: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a table: a stable code, what it is, and what to do next."""

    code: str
    title: str
    detail: str
    next_step: str
