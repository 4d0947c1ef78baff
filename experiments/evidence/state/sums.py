"""Sums by arm since each start: what is kept of all units together."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from experiments.evidence.measures import SMALLEST
from experiments.evidence.metric_sums import MetricDefinition, read_evidence, read_sums
from experiments.evidence.own_metrics import REQUESTS
from experiments.evidence.state.units import MOST_EDGE_ARMS
from experiments.stats.core.types import Evidence, UnitSums
from routing.lake.delta_tables import NO_VERSION

LAYOUT = 5
"""Of the file; one of another is made anew."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

EdgeArm = tuple[str, str]
"""An edge and an arm."""

Row = dict[str, int]
"""Sums by column, as `metric_sums.sum_expressions` names them; `units` has a request since the start."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What sums are kept of: an experiment's measured requests since its start, by metric, since each of `starts`.

    `starts` are in order, and the first is that of the experiment; those of the metrics `of_all` are since that alone.
    """

    experiment: str
    metrics: tuple[MetricDefinition, ...]
    of_all: tuple[MetricDefinition, ...]
    starts: tuple[datetime, ...]

    @property
    def shape(self) -> str:
        """Differs where sums of one cannot be carried on as those of the other."""
        told = (LAYOUT, sorted(SMALLEST.items()), self.experiment, self.starts[0], self.metrics, self.of_all)
        return sha256(repr(told).encode()).hexdigest()

    @property
    def adjusted(self) -> tuple[MetricDefinition, ...]:
        """Those of the metrics that have a past."""
        return tuple(metric for metric in self.metrics if metric.past is not None)

    @property
    def of_past(self) -> tuple[MetricDefinition, ...]:
        """What is kept of each unit from before the experiment: these metrics, and whether it was there at all."""
        return (*self.adjusted, REQUESTS) if self.adjusted else ()

    @property
    def moments(self) -> list[int]:
        """The starts in microseconds."""
        return [microseconds(start) for start in self.starts]


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by start (in microseconds) and arm, for one version of the lake's requests.

    `of_all` has those of the metrics that are kept since the first start alone. `edge_arms` has every pair of an edge
    and an arm, and `seen` how many units each saw; `newest` is the time of the newest request, in microseconds.
    `failed_last` counts by arm the units whose newest request was not answered. `pairs` has by arm the sums of the
    metrics that have a past, and of that past, as `state.pairs` names them.
    """

    shape: str
    version: int = NO_VERSION
    edge_arms: tuple[EdgeArm, ...] = ()
    seen: tuple[int, ...] = ()
    newest: int = 0
    in_two_arms: int = 0
    failed_last: Mapping[str, int] = field(default_factory=dict)
    pairs: Mapping[str, Row] = field(default_factory=dict)
    rows: Mapping[int, Mapping[str, Row]] = field(default_factory=dict)
    of_all: Mapping[str, Row] = field(default_factory=dict)

    def knows(self, moments: Iterable[int]) -> bool:
        """Whether it can tell the sums since all these moments: those it has, and those after all that came so far."""
        return all(moment in self.rows or moment > self.newest for moment in moments)

    def evidence(self, start: datetime, metrics: Sequence[MetricDefinition]) -> Evidence:
        """Since a start, of the metrics that are kept since each."""
        rows = {arm: row for arm, row in self.rows.get(microseconds(start), {}).items() if row.get("units")}
        units = {arm: row["units"] for arm, row in rows.items()}
        return read_evidence(units, metrics, rows)

    def sums_of_all(self, metrics: Sequence[MetricDefinition]) -> Mapping[tuple[str, str], UnitSums]:
        """By metric and arm, of those that are kept since the first start alone."""
        return _read(metrics, {arm: row for arm, row in self.of_all.items() if row.get("units")})

    @property
    def units_by_edge(self) -> Mapping[str, Mapping[str, int]] | None:
        """Distinct units by edge and arm; None where there are more pairs than are told apart."""
        if len(self.edge_arms) > MOST_EDGE_ARMS:
            return None
        found: dict[str, dict[str, int]] = {}
        for (edge, arm), units in zip(self.edge_arms, self.seen, strict=True):
            found.setdefault(edge, {})[arm] = units
        return found

    @property
    def last_time(self) -> datetime | None:
        """That of the newest request."""
        return EPOCH + self.newest * MICROSECOND if self.newest else None


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // MICROSECOND


def _read(metrics: Sequence[MetricDefinition], rows: Mapping[str, Row]) -> Mapping[tuple[str, str], UnitSums]:
    return {(metric, arm): sums for arm, row in rows.items() for metric, sums in read_sums(metrics, row).items()}


def write_sums(sums: Sums) -> str:
    """As text that `read_written` reads."""
    names = ("shape", "version", "edge_arms", "seen", "newest", "in_two_arms", "failed_last", "of_all", "pairs")
    told = {name: getattr(sums, name) for name in names}
    return json.dumps({**told, "rows": [[moment, arms] for moment, arms in sums.rows.items()]})


def read_written(text: str | None, shape: str) -> Sums | None:
    """What was written; None where it is of another shape, or nothing was."""
    told = json.loads(text) if text else {}
    if told.get("shape") != shape:
        return None
    rows = dict(told.pop("rows"))
    edge_arms = tuple((edge, arm) for edge, arm in told["edge_arms"])
    return Sums(**{**told, "edge_arms": edge_arms, "seen": tuple(told["seen"]), "rows": rows})
