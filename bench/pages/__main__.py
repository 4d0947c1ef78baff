"""Server time of each page: `python -m bench.pages [--experiments 1000] [--rounds 15]`.

With so many experiments, one of which runs and has had 5 million requests: a month of its course, analyses and
decisions, as ticks leave them. Its rows are not in the lake: no page reads them. A page is asked for through Django,
without a web server before it. The page of the running experiment is timed twice: as it is refreshed while nothing
came, and with a new analysis each time, so that its charts are drawn anew. Ends with 1 when a target is missed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from tests.migrated import new_database
from tests.separate import set_up
from tests.servers.processes import run_valkey

MOST_SECONDS = 0.150
ADDRESSES = (
    "/",
    "/experiments/new",
    "/experiments/draft-0",
    "/experiments/busy",
    "/backends",
    "/endpoints",
    "/layers",
    "/metrics",
    "/issuers",
    "/edges",
    "/outcomes",
    "/data-health",
    "/routing-tables",
    "/kill-switch",
    "/audit",
    "/tokens",
)


def main() -> int:
    """Make an installation, and time its pages."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages")
    parser.add_argument("--experiments", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(run_valkey(folder / "valkey"))
        os.environ["SLUICE_DATA_DIRECTORY"] = str(folder)
        os.environ["SLUICE_DATABASE_URL"] = new_database(folder)
        os.environ["SLUICE_REDIS_URL"] = server.url
        os.environ["SLUICE_LOG_LEVEL"] = "ERROR"
        set_up()
        return report(options.experiments, options.rounds)


def report(experiments: int, rounds: int) -> int:
    """Print a row for each page; 1 where one is slower than it may be."""
    from bench.pages.installation import Busy, make_experiments
    from controlplane.models import Role
    from tests.visitors.roles import text, visitor

    make_experiments(experiments - 1)
    busy, browser = Busy(), visitor(Role.ADMIN)
    browser.defaults["SERVER_NAME"] = "localhost"
    print(f"{experiments} experiments; milliseconds on the server, at most {1000 * MOST_SECONDS:.0f} at the median")
    print(f"{'page':44} {'first':>7} {'median':>7}")
    medians = [timed(address, rounds, partial(text, browser, address)) for address in ADDRESSES]

    def drawn_anew() -> float:
        busy.tick()
        return seconds_of(partial(text, browser, "/experiments/busy"))

    medians.append(printed("/experiments/busy, with a new analysis", [drawn_anew() for _ in range(rounds)]))
    missed = sum(each > MOST_SECONDS for each in medians)
    print(f"target {'missed by ' + str(missed) if missed else 'met'}")
    return 1 if missed else 0


def timed(name: str, rounds: int, ask: Callable[[], object]) -> float:
    """The median of so many answers, in seconds."""
    return printed(name, [seconds_of(ask) for _ in range(rounds)])


def printed(name: str, seconds: list[float]) -> float:
    """The median of these."""
    print(f"{name:44} {1000 * seconds[0]:7.0f} {1000 * median(seconds):7.0f}", flush=True)
    return median(seconds)


def seconds_of(ask: Callable[[], object]) -> float:
    """How long an answer took."""
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
