"""Time of one evidence collection: `python -m bench.evidence [--requests 1000000] [--units 100000]`.

Writes a lake as the collector leaves it (one commit each 20 000 rows, merged now and then), with one
outcome for each ten requests, and collects evidence for four metrics from it.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from experiments.evidence import MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType
from routing.access_log.results import Result
from routing.lake import delta_tables, tidying
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
COMMIT_ROWS = 20_000
ARMS = ("control", "candidate")
OF_REQUESTS = (
    MetricDefinition("error_rate", MetricType.RATIO, "errors", "requests"),
    MetricDefinition("latency", MetricType.RATIO, "duration_ms", "requests"),
    MetricDefinition("ttft", MetricType.RATIO, "ttft_ms", "count(ttft_ms)"),
    MetricDefinition("cost", MetricType.MEAN, "cost"),
)
OF_OUTCOMES = (*OF_REQUESTS[:3], MetricDefinition("satisfied", MetricType.PROPORTION, "outcome_count(thumbs_up)"))


def main() -> None:
    """Fill a lake and print what a collection costs."""
    parser = argparse.ArgumentParser(prog="python -m bench.evidence")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=100_000)
    options = parser.parse_args()
    requests, units = options.requests, options.units
    with tempfile.TemporaryDirectory() as directory:
        fill(directory, requests, units)
        print(f"{requests} requests, {units} units, {requests // 10} outcomes; seconds, best of 5")
        for name, question, *arguments in (
            ("4 metrics of requests", collect_evidence, "bench", START, OF_REQUESTS),
            ("3 of requests, 1 of outcomes", collect_evidence, "bench", START, OF_OUTCOMES),
            ("another experiment, nothing found", collect_evidence, "other", START, OF_REQUESTS),
        ):
            print(f"{name:36} {seconds_of(question, directory, *arguments):.3f}")


def seconds_of(question: Callable[..., object], *arguments: object) -> float:
    """Seconds of the fastest of five answers."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        question(*arguments)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def fill(directory: str, requests: int, units: int) -> None:
    """Write the requests and outcomes, in the order of time, as the collector would."""
    random = np.random.default_rng(1)
    unit_ids = random.integers(-(2**63), 2**63 - 1, units)
    tables = {table.name: delta_tables.open_table(directory, table) for table in (REQUESTS, OUTCOMES)}
    for first in range(0, requests, COMMIT_ROWS):
        users = random.integers(0, units, min(COMMIT_ROWS, requests - first))
        rows = request_rows(random, unit_ids, users, first)
        for table, batch in ((REQUESTS, rows), (OUTCOMES, outcome_rows(rows))):
            delta_tables.append(tables[table.name], batch, {"bench": first + 1})
            tidying.merge(directory, table, START)


def request_rows(
    random: np.random.Generator, unit_ids: np.ndarray, users: np.ndarray, first: int, arms: Sequence[str] = ARMS
) -> pa.Table:
    """One commit of requests: a request each 2 ms, every user in the arm that its number leaves over."""
    count = len(users)
    variants = np.array(arms)[users % len(arms)]
    ids = random.bytes(16 * count).hex()
    tokens = random.integers(10, 1000, (2, count))
    failed = random.random(count) < 0.01
    columns = {
        "time": times(np.arange(first, first + count)),
        "request_id": [ids[begin : begin + 32] for begin in range(0, 32 * count, 32)],
        "unit": unit_ids[users],
        "backend": variants,
        "variant": variants,
        "status": np.where(failed, 500, 200),
        "result": np.where(failed, Result.FAILED, Result.SUCCESS),
        "duration_ms": random.lognormal(5, 1, count).round(3),
        "ttft_ms": random.lognormal(4, 1, count).round(3),
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "cost": tokens.sum(axis=0) * 1e-6,
    }
    same = {"edge": "local", "endpoint": "chat", "experiment": "bench", "flags": "", "stage": 0, "table_version": 7}
    same |= {"shadow": False, "forced": False}
    return to_table(REQUESTS, columns | {name: [value] * count for name, value in same.items()})


def outcome_rows(requests: pa.Table) -> pa.Table:
    """A thumbs-up for each tenth request, half of them by request and half by unit."""
    tenth = requests.take(list(range(0, requests.num_rows, 10)))
    by_request = np.arange(tenth.num_rows) % 2 == 0
    ids = tenth["request_id"].to_numpy(zero_copy_only=False)
    columns = {
        "id": ids,
        "time": tenth["time"],
        "received_at": tenth["time"],
        "name": ["thumbs_up"] * tenth.num_rows,
        "value": np.ones(tenth.num_rows),
        "unit": tenth["unit"],
        "request_id": pa.array(np.where(by_request, ids, None), pa.string()),
        "properties": ["{}"] * tenth.num_rows,
    }
    return to_table(OUTCOMES, columns)


def to_table(table: LakeTable, columns: Mapping[str, Sized]) -> pa.Table:
    """The columns as rows of the lake, with their partition; what may be unknown and is not named is."""
    count = len(next(iter(columns.values())))
    nothing = {field.name: pa.nulls(count) for field in table.columns if field.nullable}
    arrays = {field.name: pa.array({**nothing, **columns}[field.name]).cast(field.type) for field in table.columns}
    return pa.table(arrays | {"day": arrays[table.clock].cast(pa.date32())}, schema=table.schema)


def times(numbers: np.ndarray) -> pa.Array:
    """Points in time 2 ms apart."""
    start = np.datetime64(START.replace(tzinfo=None), "us")
    return pa.array(start + numbers.astype("timedelta64[us]") * 2000).cast(pa.timestamp("us", "UTC"))


if __name__ == "__main__":
    main()
