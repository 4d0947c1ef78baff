"""What each thing that the edge reads costs: `python -m bench.edge.features [--rounds 3] [--seconds 1.5]`.

The same requests go to a backend directly and through the edge, in turn, so that both meet the same machine. Envoy's
CPU time is read from /proc. It takes about a minute.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from bench.edge.load import Request, measure
from bench.edge.processes import cpu_seconds, keep_client_apart, run_model
from routing.table import Arm, Endpoint, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy

BUSY_USERS = 4
BY_BODY = Unit(UnitSource.BODY, "user")

CASES = {
    "nothing read from bodies": Request("/plain"),
    "tokens from answers": Request("/chat"),
    "user and tokens from bodies": Request("/body", user_in_body=True),
    "tokens from streams": Request("/chat", stream=True),
}


@dataclass
class Case:
    """What was seen of one kind of request."""

    direct: list[float] = field(default_factory=list)
    edge: list[float] = field(default_factory=list)
    busy_requests: int = 0
    busy_cpu_seconds: float = 0.0


def main() -> None:
    """Measure each kind of request in rounds, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.edge.features")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is asked in turn")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each time")
    options = parser.parse_args()
    found = {name: Case() for name in CASES}
    with tempfile.TemporaryDirectory() as folder, run_model("model") as port, run_edge(Path(folder), port) as envoy:
        keep_client_apart()
        for _ in range(options.rounds):
            for name, request in CASES.items():
                measure_round(found[name], request, port, envoy, options.seconds)
    print(
        f"Times with one user, CPU with {BUSY_USERS} at once, on {os.cpu_count()} cores; the access log is written.\n"
    )
    print(f"{'':28}{'direct':>18}{'through the edge':>22}{'added':>10}{'Envoy CPU':>13}")
    print(f"{'':28}{'p50':>9}{'p99':>9}{'p50':>13}{'p99':>9}{'p50':>10}{'a request':>13}")
    for name, case in found.items():
        print(line(name, case))


def measure_round(case: Case, request: Request, port: int, envoy: RunningEnvoy, seconds: float) -> None:
    """One user directly and through the edge for the time it takes, then several for what it costs."""
    case.direct += measure(port, request, 1, seconds)
    case.edge += measure(envoy.port, request, 1, seconds)
    before = cpu_seconds(envoy.process.pid)
    case.busy_requests += len(measure(envoy.port, request, BUSY_USERS, seconds))
    case.busy_cpu_seconds += cpu_seconds(envoy.process.pid) - before


def line(name: str, case: Case) -> str:
    """One row of the table, in microseconds."""
    direct, edge = quantiles(case.direct, n=100), quantiles(case.edge, n=100)
    added = edge[49] - direct[49]
    cpu = case.busy_cpu_seconds / case.busy_requests
    numbers = zip((direct[49], direct[98], edge[49], edge[98], added, cpu), (6, 6, 10, 6, 7, 10), strict=True)
    return f"{name:28}" + "".join(f"{value * 1e6:{width}.0f} µs" for value, width in numbers)


@contextmanager
def run_edge(folder: Path, port: int) -> Iterator[RunningEnvoy]:
    """An Envoy with an experiment on each endpoint, all of whose arms are the one backend."""
    address = f"http://127.0.0.1:{port}"
    backends = (make_backend("model", address), make_backend("opaque", address, protocol="http"))

    def endpoint(key: str, backend: str = "model", unit: Unit | None = None) -> Endpoint:
        arms = (Arm("control", backend, 0, 5_000), Arm("candidate", backend, 5_000, 10_000))
        experiment = make_experiment(f"{key}-experiment", *arms)
        return make_endpoint(key, experiment, path_prefix=f"/{key}", backend=backend, unit=unit)

    table = make_table(endpoint("chat"), endpoint("body", unit=BY_BODY), endpoint("plain", "opaque"), backends=backends)
    with run_envoy(folder / "edge", table) as envoy:
        yield envoy


if __name__ == "__main__":
    main()
