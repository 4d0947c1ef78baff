"""How soon a published table routes requests: `python -m bench.publish [--changes 200] [--rate 5000]`.

A table is put in Redis as the control plane does it, while users ask at an even rate, whatever they are answered, and
others read streams. A whole edge is at work: Valkey, the agent, Envoy. The users have the last core for themselves.
Ends with 1 when a target is missed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis import Redis

from bench.edge.processes import run_model
from routing.publishing.redis_table import put_table
from routing.table import to_json
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.routing.edge.edges import RunningEdge, run_edge
from tests.servers.processes import run_valkey

NAMES = ("one", "other")
PAUSE_SECONDS = 0.2
WARM_SECONDS = 2.0
LATEST_SECONDS = 0.02
LEAST_RATE_KEPT = 0.99


class Bench:
    """Publishes tables that send everybody to one of two backends, in turn."""

    def __init__(self, redis: Redis, edge: RunningEdge, models: tuple[int, int], folder: Path) -> None:
        self._redis = redis
        self._edge = edge
        self._folder = folder
        self._backends = [
            make_backend(name, f"http://127.0.0.1:{port}") for name, port in zip(NAMES, models, strict=True)
        ]
        self._version = 0

    def publish(self, *, keep_backends: bool) -> tuple[float, int]:
        """Publish the next table; when that was, and which backend it routes to.

        With `keep_backends` both are in every table; without, a table has only the one that it routes to.
        """
        self._version += 1
        number = self._version % 2
        backends = tuple(self._backends) if keep_backends else (self._backends[number],)
        content = to_json(make_table(make_endpoint(backend=NAMES[number]), backends=backends, version=self._version))
        published = time.perf_counter()
        put_table(self._redis, self._version, content)
        return published, number

    def run(self, what: str, changes: int, rate: float, *, keep_backends: bool) -> bool:
        """Change the table many times under traffic; prints what came of it, and tells whether that is good."""
        self.publish(keep_backends=keep_backends)
        self._edge.wait_for_table(self._version)
        seconds = WARM_SECONDS + (changes + 5) * PAUSE_SECONDS
        rows = self._folder / "rows"
        command = [sys.executable, "-m", "bench.publish.load", str(self._edge.port), str(rate), str(seconds), str(rows)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
            time.sleep(WARM_SECONDS)
            published = []
            for _ in range(changes):
                published.append(self.publish(keep_backends=keep_backends))
                time.sleep(max(0.0, published[-1][0] + PAUSE_SECONDS - time.perf_counter()))
            said, _ = load.communicate()
        answers = np.fromfile(rows).reshape(-1, 3)
        taken = [taken_until_routed(answers, when, number) for when, number in published]
        return report(what, taken, answers, json.loads(said), rate * seconds)


def taken_until_routed(answers: NDArray[np.float64], published: float, number: int) -> float:
    """Seconds until the first request that was answered by this backend; those of before do not count."""
    answered = answers[(answers[:, 1] > published) & (answers[:, 2] == number), 1]
    return float(answered.min()) - published if len(answered) else float("inf")


def report(what: str, taken: list[float], answers: NDArray[np.float64], failed: dict[str, Any], wanted: float) -> bool:
    """One paragraph; whether everything in it is as it should be."""
    at = quantiles(taken, n=100, method="inclusive")
    sent, seconds = len(answers) + len(failed["requests"]), float(np.ptp(answers[:, 0]))
    waited = float(np.median(answers[:, 1] - answers[:, 0]))
    print(
        f"\n{what}: {len(taken)} changes under {sent / seconds:.0f} requests/s, beside {failed['streams']} streams\n"
        f"  to the first request on the new table  {_milliseconds(at[49])} median, {_milliseconds(at[98])} 99th"
        f" percentile, {_milliseconds(max(taken))} worst; wanted: 99th percentile at most 20 ms\n"
        f"  failed requests {len(failed['requests'])}, cut streams {len(failed['cut'])}, lost tokens"
        f" {failed['lost_tokens']}; wanted: none {[*failed['requests'][:3], *failed['cut'][:3]] or ''}\n"
        f"  answers took {_milliseconds(waited)} at the median; the client was busy"
        f" {failed['cpu_seconds'] / seconds:.0%} and left {failed['unsent']} unsent"
    )
    kept = sent >= LEAST_RATE_KEPT * wanted
    met = kept and at[98] <= LATEST_SECONDS and not (failed["requests"] or failed["cut"] or failed["lost_tokens"])
    print("  met" if met else "  MISSED" if kept else "  MISSED: the machine did not bear this rate")
    return met


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def main() -> None:
    """Change the table many times, in two ways, and print how long it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.publish")
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5_000.0, help="requests a second")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        models = (stack.enter_context(run_model(NAMES[0])), stack.enter_context(run_model(NAMES[1])))
        valkey = stack.enter_context(run_valkey(folder / "valkey"))
        redis = stack.enter_context(Redis.from_url(valkey.url))
        edge = stack.enter_context(run_edge(folder, valkey.url))
        bench = Bench(redis, edge, models, folder)
        ways = {"routes change": True, "routes and backends change": False}
        met = [bench.run(what, options.changes, options.rate, keep_backends=kept) for what, kept in ways.items()]
    sys.exit(not all(met))


if __name__ == "__main__":
    main()
