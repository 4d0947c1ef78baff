"""Whether requests have stopped coming: what was measured before then says nothing of how things are now."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.stats.core.types import Finding, Severity

SHORTEST = timedelta(seconds=30)
"""So long may a record be on its way."""
GAPS = 20.0
"""A silence so many times the mean time between requests has a chance of e^-20 while they still come."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The measured requests of all variants since a moment, and the time of the newest; None when none came."""

    since: datetime
    requests: int
    newest: datetime | None

    @property
    def mean_gap(self) -> timedelta:
        """The mean time between two requests; zero where so few came that it is unknown."""
        if self.newest is None or self.requests <= 1:
            return timedelta(0)
        return max(self.newest - self.since, timedelta(0)) / self.requests


def silence_findings(arrivals: Arrivals, now: datetime) -> Iterator[Finding]:
    """Find that no requests come any more.

    A silence is one from 30 s on if it is longer than 20 mean gaps between requests until then, whose chance is e^-20
    for requests that come independently. Nothing is wrong with what was measured before, so a last look may still judge
    it; the rule `hold_on_silence` says what waits.

    >>> nine, day = datetime(2026, 1, 5, 9), timedelta(days=1)
    >>> came = Arrivals(nine, 8640, nine + day)
    >>> [len(list(silence_findings(came, nine + day + timedelta(minutes=wait)))) for wait in (3, 4)]
    [0, 1]
    """
    last = arrivals.newest or arrivals.since
    silent = now - last
    if silent <= max(SHORTEST, GAPS * arrivals.mean_gap):
        return
    came = f"; until then one came each {_seconds(arrivals.mean_gap)}" if arrivals.newest else ""
    yield Finding(
        code="no-new-data",
        severity=Severity.WARNING,
        subject="traffic",
        sentence=f"No request was recorded since {last:%Y-%m-%d %H:%M:%S} UTC{came}.",
        next_step="Find out why clients do not reach the endpoint, or why edges do not report: until requests come "
        "again, nothing is decided but a halt.",
        p_value=_chance(silent, arrivals.mean_gap),
    )


def _chance(silent: timedelta, gap: timedelta) -> float:
    """Of a silence as long between requests that come independently."""
    return math.exp(-silent / gap) if gap else 0.0


def _seconds(gap: timedelta) -> str:
    return f"{gap.total_seconds():.2g} s"
