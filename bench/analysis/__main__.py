"""What a tick's evidence costs as history grows: `python -m bench.analysis [--requests 1000000 10000000]`.

For each size of the history a lake is filled, and a worker's process collects evidence once from all rows, then at
ticks after so many new ones, carried on from the tick before, and from all rows again. Then many experiments share a
lake, and two processes collect the evidence of all at each tick. Ends with 1 where a target is missed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from statistics import median

from bench.analysis.history import METRICS, TICK, Collection, History, collect

TICKS = 3
LARGEST_GROWTH = 1.5
MILLION_ROWS = 5.0
WORKERS = 2


def main() -> None:
    """Print a line for each size of the history, and one for many experiments."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis")
    parser.add_argument("--requests", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--new", type=int, default=50_000)
    parser.add_argument("--experiments", type=int, default=50)
    options = parser.parse_args()
    print(f"{len(METRICS)} metrics, 3 variants, {options.new} new requests a tick; seconds gone by, and computed")
    columns = "".join(f"{name:>15}" for name in ("first", "a tick", "nothing", "all rows"))
    print(f"{'requests':>12}{'users':>10}{columns}{'file':>10}{'memory':>10}")
    ticks, rates = zip(*(_measure(requests, options.new) for requests in options.requests), strict=True)
    seconds = _together(options.experiments, min(options.requests), options.new)
    growth, rate, together = ticks[-1] / ticks[0], rates[-1] / 1e6, f"{options.experiments} experiments take"
    met = [
        _told(growth <= LARGEST_GROWTH, f"a tick takes {growth:.2f} times as long at the largest history: at most 1.5"),
        _told(rate >= MILLION_ROWS, f"{rate:.2f} million rows a second are read anew: at least 5"),
        _told(seconds <= TICK.total_seconds(), f"{together} {seconds:.1f} s a tick: at most 10"),
    ]
    sys.exit(not all(met))


def _told(met: bool, target: str) -> bool:
    print(f"{'met   ' if met else 'MISSED'} {target}")
    return met


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that were not forked: the lake starts threads."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool


def _measure(requests: int, new: int) -> tuple[float, float]:
    """Seconds of a tick, and rows a second of all rows."""
    with tempfile.TemporaryDirectory() as directory, _workers(1) as worker:
        history = History(directory, requests)
        ask = partial(_asked, worker, history)
        first = ask()
        ticks = [_tick(history, new, ask) for _ in range(TICKS)]
        nothing, whole = ask(), ask(carried=False)
        assert nothing.found == whole.found, "what is carried on is what all rows tell"
        tick = sorted(ticks, key=lambda each: each.seconds)[TICKS // 2]
        shown = "".join(f"{each.seconds:8.2f} {each.cpu_seconds:6.2f}" for each in (first, tick, nothing, whole))
        sizes = f"{history.kept_megabytes():7.0f} MB{whole.megabytes:7.0f} MB"
        print(f"{requests:12}{history.users:10}{shown}{sizes}", flush=True)
        return tick.seconds, history.requests / whole.seconds


def _asked(worker: ProcessPoolExecutor, history: History, *, carried: bool = True) -> Collection:
    return worker.submit(collect, history.directory, history.requests, carried=carried).result()


def _tick(history: History, new: int, ask: Callable[[], Collection]) -> Collection:
    history.grow(new)
    return ask()


def _together(experiments: int, requests: int, new: int) -> float:
    """Seconds in which two processes collect the evidence of all experiments, which share a history."""
    with tempfile.TemporaryDirectory() as directory, _workers(WORKERS) as workers:
        history = History(directory, requests, experiments)
        _all(workers, history)
        seconds = []
        for _ in range(TICKS):
            history.grow(new)
            began = time.perf_counter()
            _all(workers, history)
            seconds.append(time.perf_counter() - began)
    return median(seconds)


def _all(workers: ProcessPoolExecutor, history: History) -> list[Collection]:
    asked = [workers.submit(collect, history.directory, history.requests, key) for key in history.experiments]
    return [each.result() for each in asked]


if __name__ == "__main__":
    main()
