"""The agent of one edge: six loops, each on a thread of its own, none of which waits for another."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.guard.guarding import Guarding, Tail
from routing.edge.report.heartbeat import HeartbeatLoop
from routing.edge.report.loads import Loads
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.shipping.comparison import CountComparison
from routing.edge.shipping.keeper import Keeper
from routing.edge.shipping.shipper import Shipper
from routing.edge.state.disk_space import Room
from routing.edge.state.files import EdgeDirectory, reserve
from routing.edge.state.kept_cuts import Cuts
from routing.edge.state.memory import folder_in_memory
from routing.edge.state.outages import repeat
from routing.edge.state.spool import Spool
from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier
from routing.edge.table.follower import Follower

ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeAgent:
    """One edge: its name and zone, where its Envoy listens, its folder, its Redis, the key of unit hashes,
    and whether users come by TLS.
    """

    name: str
    zone: str
    host: str
    port: int
    directory: Path
    redis_url: str
    unit_key: bytes
    secure: bool = False
    labels: str = ""


def run_agent(edge: EdgeAgent, stop: Event) -> None:
    """Run until `stop` is set. An error that no loop expects ends all of them and is raised."""
    # Whether to try again, and when, is for the loops to say.
    redis = Redis.from_url(edge.redis_url, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), retries=0))
    directory = EdgeDirectory(edge.directory)
    envoy = EnvoyAdmin(edge.host, edge.port, directory.admin, secure=edge.secure)
    status = EdgeStatus()
    cuts = Cuts(directory.cuts)
    applier = Applier(directory, envoy, cuts)
    heartbeat = HeartbeatLoop(redis, status, cuts, edge=edge.name, zone=edge.zone, labels=edge.labels)
    loops = (
        Follower(redis, envoy, applier, status, confirm=heartbeat.step).run,
        heartbeat.run,
        Guarding(Tail(directory.access_log), applier, cuts).run,
        Loads(applier, status).run,
        SpoolLoop(edge, redis, envoy, Spool(directory.access_log), status).run,
        Room(reserve(directory.path), status).run,
    )
    with ThreadPoolExecutor(len(loops)) as threads:
        running = [threads.submit(loop, stop) for loop in loops]
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        stop.set()
    redis.close()
    for loop in ended:
        loop.result()


class SpoolLoop:
    """Ships the spool, keeps it tidy and looks for what is missing in it; one loop does all, so that none deletes what
    another reads.
    """

    def __init__(self, edge: EdgeAgent, redis: Redis, envoy: EnvoyAdmin, spool: Spool, status: EdgeStatus) -> None:
        stream = RequestStream(redis, edge.name)
        self._keeper = Keeper(stream, spool, envoy, status, memory=lambda: folder_in_memory(edge.directory))
        self._shipper = Shipper(stream, spool, edge=edge.name, unit_key=edge.unit_key)
        self._comparison = CountComparison(envoy, spool, self._shipper, stream, status)

    def run(self, stop: Event) -> None:
        """Ship and tidy until stopped."""
        repeat(self.step, what="shipping requests", failures=(RedisError, OSError), stop=stop)

    def step(self) -> float:
        """Tidy if it is time, compare, and ship one batch; returns the seconds to wait before the next step.

        Raises:
            RedisError, OSError: Redis does not answer as it should, or the disk does not.

        """
        self._keeper.tidy_when_due()
        self._comparison.step()
        return self._shipper.step()
