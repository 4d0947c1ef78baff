"""Whether requests have stopped coming: what was measured before then says nothing of how things are now."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.problems.problem import Problem
from experiments.stats.core.types import Finding, Severity

SHORTEST = timedelta(seconds=30)
"""So long may a record be on its way."""
GAPS = 20.0
"""A silence so many times the mean time between requests has a chance of e^-20 while they still come."""


@dataclass(frozen=True, slots=True)
class TrafficSoFar:
    """The measured requests of all variants from a moment until now, and when the newest came, if any."""

    since: datetime
    requests: int
    newest: datetime | None
    now: datetime

    @property
    def mean_gap(self) -> timedelta:
        """The mean time between two requests; zero where so few came that it is unknown."""
        if self.newest is None or self.requests <= 1:
            return timedelta(0)
        return max(self.newest - self.since, timedelta(0)) / self.requests


def silence_findings(traffic: TrafficSoFar) -> Iterator[Finding]:
    """Find that no requests come any more.

    A silence is one from 30 s on if it is longer than 20 mean gaps between requests until then, whose chance is e^-20
    for requests that come independently. Nothing is wrong with what was measured before, so a last look may still judge
    it; the rule `hold_on_silence` says what waits.

    >>> nine, day = datetime(2026, 1, 5, 9), timedelta(days=1)
    >>> until = [TrafficSoFar(nine, 8640, nine + day, nine + day + timedelta(minutes=wait)) for wait in (3, 4)]
    >>> [len(list(silence_findings(traffic))) for traffic in until]
    [0, 1]
    """
    last = traffic.newest or traffic.since
    silent = traffic.now - last
    if silent <= max(SHORTEST, GAPS * traffic.mean_gap):
        return
    came = f"; until then one came each {_seconds(traffic.mean_gap)}" if traffic.newest else ""
    yield Finding(
        Problem.of(
            "no-new-data",
            f"No request was recorded since {last:%Y-%m-%d %H:%M:%S} UTC{came}.",
            "Find out why clients do not reach the endpoint, or why edges do not report: until requests come "
            "again, nothing is decided but a halt.",
        ),
        Severity.WARNING,
        "traffic",
        p_value=_chance(silent, traffic.mean_gap),
    )


def _chance(silent: timedelta, gap: timedelta) -> float:
    """Of a silence as long between requests that come independently."""
    return math.exp(-silent / gap) if gap else 0.0


def _seconds(gap: timedelta) -> str:
    return f"{gap.total_seconds():.2g} s"
