"""How soon a published table routes requests: `python -m bench.publish [changes]`.

A table is put in Redis as the control plane does it, and a client asks without pause until the new backend answers.
A whole edge is at work: Valkey, the agent, Envoy.
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from redis import Redis

from bench.edge.processes import run_model
from routing.publisher import put_table
from routing.table import to_json
from tests.routing.edge.edges import run_edge
from tests.routing.tables import make_backend, make_endpoint, make_table
from tests.servers import run_valkey

NAMES = ("one", "other")


class Bench:
    """Publishes tables that send everybody to one of two backends, in turn."""

    def __init__(self, redis: Redis, edge_port: int, model_ports: tuple[int, int]) -> None:
        self._redis = redis
        self._client = HTTPConnection("127.0.0.1", edge_port)
        self._backends = [
            make_backend(name, f"http://127.0.0.1:{port}") for name, port in zip(NAMES, model_ports, strict=True)
        ]
        self._version = 0

    def change(self, *, keep_backends: bool) -> float:
        """Publish the next table; the seconds until a request meets it.

        With `keep_backends` both are in every table; without, a table has only the one that it routes to.
        """
        self._version += 1
        chosen = self._backends[self._version % 2]
        backends = tuple(self._backends) if keep_backends else (chosen,)
        table = make_table(make_endpoint(backend=chosen.key), backends=backends, version=self._version)
        content = to_json(table)
        started = time.perf_counter()
        put_table(self._redis, self._version, content)
        while self._who_answers() != chosen.key:
            pass
        return time.perf_counter() - started

    def _who_answers(self) -> str | None:
        self._client.request("POST", "/chat", "{}", {"content-type": "application/json"})
        response = self._client.getresponse()
        content = json.loads(response.read())
        model: str | None = content.get("model")
        return model


def main() -> None:
    """Change the table many times, in two ways, and print how long it took."""
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = (stack.enter_context(run_model(NAMES[0])), stack.enter_context(run_model(NAMES[1])))
        valkey = stack.enter_context(run_valkey(folder / "valkey"))
        redis = stack.enter_context(Redis.from_url(valkey.url))
        edge = stack.enter_context(run_edge(folder, valkey.url))
        bench = Bench(redis, edge.port, ports)
        bench.change(keep_backends=True)
        kept = [bench.change(keep_backends=True) for _ in range(changes)]
        exchanged = [bench.change(keep_backends=False) for _ in range(changes)]
    print(f"{changes} changes each, from the table in Redis to the first request that it routes:\n")
    print(f"{'':30}{'median':>10}{'worst':>10}")
    for what, seconds in (("routes change", kept), ("routes and backends change", exchanged)):
        print(f"{what:30}{median(seconds) * 1000:7.1f} ms{max(seconds) * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
