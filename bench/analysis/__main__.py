"""What a tick's evidence costs as history grows: `python -m bench.analysis [--requests 1000000 10000000]`.

For each size of the history a lake is filled, evidence is collected once from all rows, and then a tick after so many
new ones: carried on from the tick before, and from all rows again. Ends with 1 where a tick at the largest history
takes more than 1.5 times as long as at the smallest.
"""

import argparse
import resource
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from bench.evidence.__main__ import OF_REQUESTS, START, fill, request_rows
from experiments.evidence import CollectedEvidence, MetricDefinition, collect_evidence
from experiments.evidence.state.carried import Carried
from experiments.stats.core.types import MetricType
from experiments.stats.sequential.starts import STEPS, starts_in_use
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS

TICK = timedelta(seconds=10)
SPACING = timedelta(milliseconds=2)
COMMITS = 10
TICKS = 3
LARGEST_GROWTH = 1.5
METRICS = (
    *OF_REQUESTS,
    MetricDefinition("failed users", MetricType.PROPORTION, "errors"),
    MetricDefinition("slow", MetricType.RATIO, "above(duration_ms, 1000)", "count(duration_ms)"),
    MetricDefinition("rejected", MetricType.RATIO, "client_errors", "requests"),
    MetricDefinition("tokens", MetricType.RATIO, "completion_tokens", "requests"),
    MetricDefinition("prompt", MetricType.MEAN, "prompt_tokens"),
    MetricDefinition("a user's requests", MetricType.MEAN, "requests"),
)


class History:
    """A lake of so many requests of so many users, one each 2 ms, which grows by ticks."""

    def __init__(self, directory: str, requests: int, units: int) -> None:
        fill(directory, requests, units)
        self._lake = directory
        self._requests = requests
        self._random = np.random.default_rng(1)
        self._units = self._random.integers(-(2**63), 2**63 - 1, units)

    def grow(self, count: int) -> None:
        """A tick's requests, as the collector commits them."""
        delta = delta_tables.open_table(self._lake, REQUESTS)
        for part in np.array_split(np.arange(count), COMMITS):
            users = self._random.integers(0, len(self._units), len(part))
            rows = request_rows(self._random, self._units, users, self._requests)
            self._requests += len(part)
            delta_tables.append(delta, rows, {"bench": self._requests + 1})

    def collect(self, *, carried: bool) -> tuple[float, CollectedEvidence]:
        """Seconds of a collection at the end of the history, and what it found."""
        now = START + self._requests * SPACING
        kept = Carried(Path(self._lake) / "state" / "bench", _starts(now, STEPS)) if carried else None
        began = time.perf_counter()
        found = collect_evidence(self._lake, "bench", START, METRICS, now=now, starts=_starts(now), carried=kept)
        return time.perf_counter() - began, found


def _starts(now: datetime, ticks_later: int = 0) -> tuple[datetime, ...]:
    return tuple(START + start.ticks * TICK for start in starts_in_use((now - START) / TICK + ticks_later))


def main() -> None:
    """Print a line for each size of the history."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis")
    parser.add_argument("--requests", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--new", type=int, default=50_000)
    options = parser.parse_args()
    print(f"{len(METRICS)} metrics, two variants, {options.new} new requests a tick; seconds, medians of {TICKS}")
    print(
        f"{'requests':>12}{'users':>10}{'first':>9}{'a tick':>9}{'nothing':>9}{'all rows':>10}{'file':>9}{'memory':>10}"
    )
    ticks = [_measure(requests, options.new) for requests in options.requests]
    growth = ticks[-1] / ticks[0]
    verdict = "met   " if growth <= LARGEST_GROWTH else "MISSED"
    print(
        f"\n{verdict} a tick takes {growth:.2f} times as long at the largest history; wanted: at most {LARGEST_GROWTH}"
    )
    sys.exit(growth > LARGEST_GROWTH)


def _measure(requests: int, new: int) -> float:
    units = max(requests // 20, 10)
    with tempfile.TemporaryDirectory() as directory:
        history = History(directory, requests, units)
        first, _ = history.collect(carried=True)
        ticks = [_tick(history, new) for _ in range(TICKS)]
        idle, found = history.collect(carried=True)
        whole, expected = history.collect(carried=False)
        assert found == expected, "what is carried on is what all rows tell"
        megabytes = sum(path.stat().st_size for path in (Path(directory) / "state").iterdir()) / 2**20
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tick = median(ticks)
    print(
        f"{requests:12}{units:10}{first:9.2f}{tick:9.3f}{idle:9.3f}{whole:10.2f}{megabytes:6.0f} MB{memory:7.0f} MB",
        flush=True,
    )
    return tick


def _tick(history: History, new: int) -> float:
    history.grow(new)
    seconds, _ = history.collect(carried=True)
    return seconds


if __name__ == "__main__":
    main()
