"""From the access log to the lake: `python -m bench.pipeline [--minutes 10] [--rate 10000]`.

A log is written at an even rate as Envoy writes it. An edge's shipping, Valkey and the collector are at work, each in a
process of its own; what reads the lake sees when each row is there. Ends with 1 when a target is missed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from numpy.typing import NDArray
from redis import Redis

from bench.edge.processes import cpu_seconds, resident_bytes
from routing import redis_keys
from routing.edge.state.files import EdgeDirectory
from routing.edge.state.spool import Spool
from routing.lake import delta_tables
from routing.lake.added import files_added
from routing.lake.schema import REQUESTS
from tests.servers.processes import run_valkey, stopping
from tests.waiting import wait_until

LEAST_RATE = 20_000
LATEST_SECONDS = 3.0
LARGEST_GROWTH = 1.1
LEAST_RATE_KEPT = 0.95
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
WARM_SHARE = 0.2
MEGABYTE = 2**20


@dataclass(slots=True)
class Arrivals:
    """What came into the lake: each row's seconds from the end of its request until it could be read."""

    delta: DeltaTable
    lags: list[NDArray[np.float64]] = field(default_factory=list)
    rows: int = 0

    def look(self) -> None:
        """Take in what came since the look before."""
        seen = self.delta.version()
        self.delta.update_incremental()
        now = time.time()
        files = files_added(self.delta, seen) or []
        for path in files:
            times = pq.read_table(path, columns=["time"])["time"].cast(pa.int64()).to_numpy()
            self.lags.append(now - times / 1e6)
            self.rows += len(times)


@dataclass(frozen=True, slots=True)
class Part:
    """A process of the pipeline, and the memory that it held at each look, in bytes."""

    name: str
    process: int
    held: list[int] = field(default_factory=list)

    def growth(self) -> float:
        """The most memory of the last fifth of the looks, over the most of the second fifth, when all is warm."""
        fifth = max(int(len(self.held) * WARM_SHARE), 1)
        return max(self.held[-fifth:]) / max(self.held[fifth : 2 * fifth] or self.held)


@contextmanager
def pipeline(folder: Path) -> Iterator[tuple[list[Part], Path, DeltaTable]]:
    """Its parts at work, the log to write to and the table that rows come into."""
    with ExitStack() as stack:
        valkey = stack.enter_context(run_valkey(folder / "valkey"))
        edge, lake = folder / "edge", folder / "lake"
        log = EdgeDirectory(edge).access_log
        spool = Spool(log)
        spool.prepare()
        delta = delta_tables.open_table(str(lake), REQUESTS)
        environment = os.environ | {"SLUICE_REDIS_URL": valkey.url, "SLUICE_LAKE_URL": str(lake)}
        environment["SLUICE_DATA_DIRECTORY"] = str(folder)
        commands = {
            "shipping": [sys.executable, "-m", "bench.pipeline.shipping", str(edge), valkey.url],
            "collector": [sys.executable, "-m", "routing.collector"],
        }
        parts = [Part("Valkey", valkey.process.pid)]
        for name, command in commands.items():
            process = stack.enter_context(stopping(subprocess.Popen(command, env=environment)))
            parts.append(Part(name, process.pid))
        redis = stack.enter_context(Redis.from_url(valkey.url))
        redis.sadd(redis_keys.EDGES, "bench")
        wait_until(lambda: redis.hexists(redis_keys.COLLECTOR, REQUESTS.name) and spool.was_shipped())
        yield parts, log, delta


def measure(folder: Path, rate: float, seconds: float) -> bool:
    """Write for so long, wait for the last row, and print what was seen; whether all targets are met."""
    with pipeline(folder) as (parts, log, delta):
        arrivals = Arrivals(delta)
        before = [cpu_seconds(part.process) for part in parts]
        command = [sys.executable, "-m", "bench.pipeline.writer", str(log), str(rate), str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            while writer.poll() is None:
                look(arrivals, parts)
            written = int(writer.communicate()[0])
        end = time.monotonic() + PATIENCE_SECONDS
        while arrivals.rows < written and time.monotonic() < end:
            look(arrivals, parts)
        used = [cpu_seconds(part.process) - so_far for part, so_far in zip(parts, before, strict=True)]
    return report(parts, used, arrivals, written, rate * seconds)


def look(arrivals: Arrivals, parts: list[Part]) -> None:
    """Take in new rows, note what memory is held, and wait a little."""
    arrivals.look()
    for part in parts:
        part.held.append(resident_bytes(part.process))
    time.sleep(LOOK_SECONDS)


def report(parts: list[Part], used: list[float], arrivals: Arrivals, written: int, wanted: float) -> bool:
    """Print a table; whether all targets are met."""
    print(f"{'':12}{'µs of CPU a row':>18}{'most memory':>14}{'at the end over warm':>22}")
    for part, cpu in zip(parts, used, strict=True):
        memory = max(part.held) / MEGABYTE
        print(f"{part.name:12}{cpu / written * 1e6:18.1f}{memory:11.0f} MB{part.growth():20.2f} x")
    lags = np.concatenate(arrivals.lags) if arrivals.lags else np.array([np.inf])
    late = float(np.quantile(lags, 0.99))
    a_core = written / sum(used)
    growth = max(part.growth() for part in parts)
    held = {
        f"{a_core:,.0f} rows a second and core; wanted: at least {LEAST_RATE:,}": a_core >= LEAST_RATE,
        f"{np.median(lags):.2f} s until a row can be read, {late:.2f} s at the 99th percentile, {lags.max():.2f} s at "
        f"most; wanted: 99th percentile under {LATEST_SECONDS:g} s": late < LATEST_SECONDS,
        f"memory grew {growth:.2f} times; wanted: at most {LARGEST_GROWTH}": growth <= LARGEST_GROWTH,
        f"{written:,} lines written, {arrivals.rows:,} rows came": arrivals.rows == written,
        f"{written / wanted:.0%} of the lines that were due": written >= LEAST_RATE_KEPT * wanted,
    }
    print()
    for what, met in held.items():
        print("met   " if met else "MISSED", what)
    return all(held.values())


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=10_000.0, help="lines a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(not measure(Path(directory), options.rate, options.minutes * 60))


if __name__ == "__main__":
    main()
