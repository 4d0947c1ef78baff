"""Sums by arm since each start: what is kept of all units together."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from experiments.evidence.measures import SMALLEST
from experiments.evidence.metric_sums import MetricDefinition, read_sums
from experiments.stats.core.types import Evidence, UnitSums
from routing.lake.delta_tables import NO_VERSION

LAYOUT = 1
"""Of the file; one of another is made anew."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Row = dict[str, int]
"""Sums by column, as `metric_sums.sum_expressions` names them; `units` has a request since the start."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What sums are kept of: an experiment's measured requests since its start, by metric, since each of `starts`.

    `starts` are in order, and the first is that of the experiment.
    """

    experiment: str
    metrics: tuple[MetricDefinition, ...]
    starts: tuple[datetime, ...]

    @property
    def shape(self) -> str:
        """Differs where sums of one cannot be carried on as those of the other."""
        told = (LAYOUT, sorted(SMALLEST.items()), self.experiment, self.starts[0], self.metrics)
        return sha256(repr(told).encode()).hexdigest()

    @property
    def moments(self) -> list[int]:
        """The starts in microseconds."""
        return [microseconds(start) for start in self.starts]


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by start (in microseconds) and arm, for one version of the lake's requests.

    `arms` has every arm seen, and `newest` the time of the newest request, in microseconds; `failed_last` counts by arm
    the units whose newest request was not answered.
    """

    shape: str
    version: int = NO_VERSION
    arms: tuple[str, ...] = ()
    newest: int = 0
    in_two_arms: int = 0
    failed_last: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[int, Mapping[str, Row]] = field(default_factory=dict)

    def knows(self, moments: Iterable[int]) -> bool:
        """Whether it can tell the sums since all these moments: those it has, and those after all that came so far."""
        return all(moment in self.rows or moment > self.newest for moment in moments)

    def grown(self, moments: Sequence[int], growth: Mapping[int, Mapping[str, Row]], **changes: Any) -> "Sums":
        """The sums since these moments, with what came to each beside."""
        rows = {moment: _added(self.rows.get(moment, {}), growth.get(moment, {})) for moment in moments}
        return replace(self, rows=rows, **changes)

    def evidence(self, start: datetime, metrics: Sequence[MetricDefinition]) -> Evidence:
        """Since a start."""
        units: dict[str, int] = {}
        sums: dict[tuple[str, str], UnitSums] = {}
        for arm, row in self.rows.get(microseconds(start), {}).items():
            if row["units"]:
                units[arm] = row["units"]
                sums |= {(metric, arm): found for metric, found in read_sums(metrics, row).items()}
        return Evidence(units, sums)

    @property
    def last_time(self) -> datetime | None:
        """That of the newest request."""
        return EPOCH + self.newest * MICROSECOND if self.newest else None


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // MICROSECOND


def _added(rows: Mapping[str, Row], more: Mapping[str, Row]) -> Mapping[str, Row]:
    found = {arm: dict(row) for arm, row in rows.items()}
    for arm, row in more.items():
        known = found.setdefault(arm, {})
        for column, value in row.items():
            known[column] = known.get(column, 0) + value
    return found


def write_sums(sums: Sums) -> str:
    """As text that `read_written` reads."""
    told = {name: getattr(sums, name) for name in ("shape", "version", "arms", "newest", "in_two_arms", "failed_last")}
    return json.dumps({**told, "rows": [[moment, arms] for moment, arms in sums.rows.items()]})


def read_written(text: str | None, shape: str) -> Sums | None:
    """What was written; None where it is of another shape, or nothing was."""
    told = json.loads(text) if text else {}
    if told.get("shape") != shape:
        return None
    rows = dict(told.pop("rows"))
    return Sums(**{**told, "arms": tuple(told["arms"]), "rows": rows})
