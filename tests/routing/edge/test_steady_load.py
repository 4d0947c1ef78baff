"""Rows that are on their way are never called lost, under a load that never stops; those that are dropped are."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest
from redis import Redis

from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.shipping.comparison import CountComparison
from routing.edge.shipping.shipper import Shipper
from routing.edge.state.files import EdgeDirectory
from routing.edge.state.spool import Spool
from routing.edge.state.status import EdgeStatus
from tests.factories.log_lines import make_line
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

RUN = "run-1"
ARMS = ("control", "new")
STREAM_SECONDS = 5.0


@dataclass
class Busy:
    """What an Envoy under load does to its counters and its log: 200 requests a second of two arms end.

    Each is counted when it ends and written `lag` seconds later. Its counters take `latency` seconds to be told. Every
    tenth is a stream that began long before. Of the arm `lossy` every third is counted and never written.
    """

    log: Path
    lag: float = 0.02
    latency: float = 0.0
    lossy: str = ""
    failed_writes: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    def load(self) -> None:
        """Until stopped; what has ended by then is written still."""
        waiting: list[tuple[float, bytes]] = []
        number = 0
        while not self.stopped.wait(0.005) or waiting:
            if not self.stopped.is_set():
                number += 1
                line = self._end(number)
                if line is not None:
                    waiting.append((time.monotonic() + self.lag, line))
            due = [line for at, line in waiting if at <= time.monotonic()]
            waiting = waiting[len(due) :]
            with self.log.open("ab") as file:
                file.writelines(due)

    def _end(self, number: int) -> bytes | None:
        arm, seconds = ARMS[number % 2], STREAM_SECONDS if number % 10 == 0 else 0.01
        began = datetime.fromtimestamp(time.time() - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.counted[arm] += 1
        if arm == self.lossy and self.counted[arm] % 3 == 0:
            self.dropped[arm] += 1
            return None
        told = {"duration_ms": int(seconds * 1e3), "duration_us": seconds * 1e6, "request_id": f"{number}"}
        return make_line({"variant": arm}, time=began, run=RUN, unit=f"{number}", **told) + b"\n"

    def statistics(self) -> str:
        """As the admin interface tells them."""
        time.sleep(self.latency)
        place = f"sluice.rows.run.{RUN}.backend.stable.experiment.new-model.variant"
        lines = [f"{place}.{arm}: {count}" for arm, count in self.counted.items()]
        return "\n".join([*lines, f"filesystem.write_failed: {self.failed_writes}"])


class SocketServer(ThreadingMixIn, UnixStreamServer):
    """HTTP on a socket in the file system, as Envoy's admin interface is."""

    daemon_threads = True


@contextmanager
def admin(busy: Busy, path: Path) -> Iterator[None]:
    """Where its counters are asked for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = busy.statistics().encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
            """Say nothing."""

    server = SocketServer(str(path), Handler)
    threads = [threading.Thread(target=work) for work in (server.serve_forever, busy.load)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        busy.stopped.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        server.server_close()


@dataclass
class Watched:
    """The agent's part that ships and compares."""

    shipper: Shipper
    comparison: CountComparison
    status: EdgeStatus

    def until(self, seen: Callable[[], bool]) -> None:
        """Work on until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not seen():
            assert time.monotonic() < deadline
            self.comparison.step()
            time.sleep(self.shipper.step())

    def looks(self, count: int) -> None:
        """Work on for so many looks."""
        for _ in range(count):
            before = self.status.compared_until
            self.until(lambda before=before: self.status.compared_until != before)  # type: ignore[misc]

    def lost(self) -> dict[str, int]:
        """By arm, as the heartbeat tells it."""
        return {loss["variant"]: loss["rows"] for loss in json.loads(self.status.losses)}


@contextmanager
def watching(busy: Busy, redis: Redis, link: Path) -> Iterator[Watched]:
    path = EdgeDirectory(link.parent.parent).admin
    with admin(busy, path):
        spool, stream, status = Spool(link), RequestStream(redis, "edge"), EdgeStatus()
        shipper = Shipper(stream, spool, edge="edge", unit_key=b"key", collector_seconds=0)
        envoy = EnvoyAdmin("127.0.0.1", 1, path)
        yield Watched(shipper, CountComparison(envoy, spool, shipper, stream, status), status)


@pytest.fixture
def link(tmp_path: Path) -> Path:
    path = tmp_path / "spool" / "open.jsonl"
    Spool(path).prepare()
    path.touch()
    return path


@pytest.mark.parametrize(
    ("lag", "latency"), [(0.02, 0.0), (0.02, 0.4), (2.5, 0.0)], ids=["quick", "slow-counters", "slow-log"]
)
def test_what_is_on_its_way_is_never_lost(redis: Redis, link: Path, lag: float, latency: float) -> None:
    busy = Busy(link, lag=lag, latency=latency)
    with watching(busy, redis, link) as watched:
        watched.looks(4)
        assert watched.lost() == {}
    assert set(busy.counted) == set(ARMS)


def test_a_redis_that_forgets_under_load_makes_none_lost(redis: Redis, link: Path) -> None:
    with watching(Busy(link, latency=0.1), redis, link) as watched:
        for _ in range(4):
            watched.looks(1)
            redis.flushall()
            watched.comparison.step()
        watched.looks(2)
        assert watched.lost() == {}


@pytest.mark.parametrize("failed_writes", [0, 7])
def test_what_is_dropped_under_load_is_found_by_arm(redis: Redis, link: Path, failed_writes: int) -> None:
    busy = Busy(link, latency=0.1, lossy="new", failed_writes=failed_writes)
    with watching(busy, redis, link) as watched:
        watched.until(lambda: watched.lost().get("new", 0) > 0)
        assert set(watched.lost()) == {"new"}
        assert watched.lost()["new"] <= busy.dropped["new"]
        busy.stopped.set()
        watched.until(lambda: watched.lost() == {"new": busy.dropped["new"]})
