"""Whether the split is exact to the bucket: `python -m bench.assignment [--units 1000000]`.

Each of a million units is asked for at weights of 0.1, 1, 10 and 50 %, at one Envoy; each unit's arm must be Python's.
A slice of them (`--slice`) is asked for at three more Envoys and at the first one after a restart. Then a ramp goes
from 5 to 10 %: whoever was in must stay on the same arm, and those who come in must be the units of the added
buckets and nobody else. Envoy answers by itself, and logs nothing. Ends with 1 when one unit is elsewhere.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bench.assignment.asking import arms_of
from bench.assignment.splits import FIVE, RAMP, TEN, WEIGHTS, expected, make_split_table
from routing.allocation.assign import bucket
from routing.edge.envoy.configuration import write_routes
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.envoy.envoy_process import envoy_command
from routing.table import BUCKETS, Table
from tests.servers.envoys import RunningEnvoy, run_envoy, wait_until_served
from tests.servers.processes import stopping

ENVOYS = 4


def main() -> None:
    """Ask, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.assignment")
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--slice", type=int, default=50_000, help="units that the other Envoys are asked for")
    options = parser.parse_args()
    units = [f"user-{number}" for number in range(options.units)]
    part = units[:: max(1, options.units // options.slice)]
    table = make_split_table()
    with tempfile.TemporaryDirectory() as folder:
        first, exact = _compare_envoys(Path(folder), table, units, part)
        with restarted(first) as envoy:
            exact &= _compare("the first one, restarted", envoy, table, part)
            exact &= _ramp(envoy, units)
    sys.exit(not exact)


def _compare_envoys(folder: Path, table: Table, units: list[str], part: list[str]) -> tuple[RunningEnvoy, bool]:
    with ExitStack() as stack:
        running = [stack.enter_context(run_envoy(folder / str(n), table, with_clusters=False)) for n in range(ENVOYS)]
        exact = True
        for number, envoy in enumerate(running):
            forget_log(envoy)
            exact &= _compare(f"Envoy {number + 1}", envoy, table, part if number else units)
    return running[0], exact


@contextmanager
def restarted(ended: RunningEnvoy) -> Iterator[RunningEnvoy]:
    """The same Envoy again, on what is on its disk."""
    with stopping(subprocess.Popen(envoy_command(ended.directory))) as process:
        envoy = replace(ended, process=process)
        wait_until_served(envoy.url, 1)
        forget_log(envoy)
        yield envoy


def forget_log(envoy: RunningEnvoy) -> None:
    """Have the access log go nowhere: it would be gigabytes."""
    envoy.directory.access_log.unlink(missing_ok=True)
    envoy.directory.access_log.symlink_to(os.devnull)
    EnvoyAdmin("127.0.0.1", envoy.port, envoy.directory.admin).reopen_log()


def _compare(where: str, envoy: RunningEnvoy, table: Table, units: list[str]) -> bool:
    """Print one line a weight; whether no unit is elsewhere than in Python."""
    exact = True
    for endpoint in table.endpoints[: len(WEIGHTS)]:
        began = time.perf_counter()
        found = arms_of(envoy.port, endpoint.path_prefix, units)
        rate = len(units) / (time.perf_counter() - began)
        wanted = expected(endpoint, units)
        elsewhere = sum(one != other for one, other in zip(found, wanted, strict=True))
        counted, share = Counter(found)["candidate"], WEIGHTS[endpoint.key] / BUCKETS
        print(
            f"{where:30} {len(units):9} units at {share:6.1%}: {counted:7} candidates, Python"
            f" {Counter(wanted)['candidate']:7}, elsewhere {elsewhere}   ({rate:.0f} requests/s)",
            flush=True,
        )
        exact &= elsewhere == 0
    return exact


def _ramp(envoy: RunningEnvoy, units: list[str]) -> bool:
    """Go from 5 to 10 % on a running Envoy; whether exactly the added ones moved."""
    before = arms_of(envoy.port, f"/{RAMP}", units)
    table = make_split_table(version=2, ramp=TEN)
    write_routes(envoy.directory, table)
    wait_until_served(envoy.url, table.version)
    after = arms_of(envoy.port, f"/{RAMP}", units)
    moved = {unit for unit, one, other in zip(units, before, after, strict=True) if one != other}
    added = {unit for unit in units if _is_added(bucket(table.endpoints[0].salt, unit))}
    left = sum(one != "" and one != other for one, other in zip(before, after, strict=True))
    print(
        f"from 5 to 10 %: {sum(map(bool, before))} units in, then {sum(map(bool, after))}; moved {len(moved)}, of the"
        f" added buckets {len(added)}, in both {len(moved & added)}; taken from their arm {left}"
    )
    return moved == added and left == 0 and after == expected(table.endpoints[-1], units)


def _is_added(place: int) -> bool:
    """Whether a bucket is in at 10 % and was not at 5: the second twentieth of either arm's half."""
    return FIVE // 2 <= place % (BUCKETS // 2) < TEN // 2


if __name__ == "__main__":
    main()
