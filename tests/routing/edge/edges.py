"""A whole edge: Envoy and its agent, as the processes that they are in production."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from redis import Redis

from routing import redis_keys
from routing.edge.envoy.calls import socket_line
from routing.edge.envoy.envoy_process import envoy_command, envoy_environment
from routing.edge.prepare import prepare
from routing.edge.state.files import EdgeDirectory
from routing.publishing.redis_table import put_table
from routing.table import Table, to_json
from tests.routing.edge.stored import EDGE
from tests.servers.envoys import served_version
from tests.servers.processes import free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

UNIT_KEY = "6b" * 32


class RunningEdge:
    """One edge; its two processes can be started and killed apart from each other."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.redis_url = redis_url
        self.port = free_port()
        self.directory = EdgeDirectory(folder / "edge")
        self.envoy: subprocess.Popen[bytes] | None = None
        self.agent: subprocess.Popen[bytes] | None = None
        self._agent_log = folder / "agent.log"
        self.prepare()

    @property
    def url(self) -> str:
        """Where user traffic goes."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write what Envoy needs to start."""
        prepare(self.directory.path, name=EDGE, host="127.0.0.1", port=self.port)

    def admin(self, path: str) -> str:
        """What Envoy's admin interface answers."""
        return socket_line(self.directory.admin).call("GET", path)

    def start_envoy(self) -> None:
        """Start Envoy; return once it answers."""
        self.envoy = subprocess.Popen(envoy_command(self.directory), env=envoy_environment())
        wait_until(lambda: served_version(self.url) is not None)

    def start_agent(self) -> None:
        """Start the agent; it takes a moment until it does anything."""
        with self._agent_log.open("ab") as log:
            command = [sys.executable, "-m", "routing.edge"]
            self.agent = subprocess.Popen(command, env=self._environment(), stderr=log)

    def agent_log(self) -> str:
        """All that the agents of this edge logged."""
        return self._agent_log.read_text()

    def kill_envoy(self) -> None:
        """End Envoy as a power cut would."""
        end(self.envoy, kill=True)

    def kill_agent(self) -> None:
        """End the agent as a power cut would."""
        end(self.agent, kill=True)

    def stop(self) -> None:
        """End both in good order."""
        end(self.agent)
        end(self.envoy)

    def wait_for_table(self, version: int) -> None:
        """Return once users are served by this version of the table."""
        wait_until(lambda: served_version(self.url) == version)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SLUICE_DATA_DIRECTORY": str(self.directory.path.parent),
            "SLUICE_REDIS_URL": self.redis_url,
            "SLUICE_UNIT_KEY": UNIT_KEY,
            "SLUICE_EDGE_NAME": EDGE,
            "SLUICE_EDGE_PORT": str(self.port),
        }


@contextmanager
def run_edge(folder: Path, redis_url: str) -> Iterator[RunningEdge]:
    """Run Envoy and agent until the block ends."""
    edge = RunningEdge(folder, redis_url)
    try:
        edge.start_envoy()
        edge.start_agent()
        yield edge
    finally:
        edge.stop()


def publish(redis: Redis, table: Table) -> None:
    """Put a table where edges find it."""
    assert put_table(redis, table.version, to_json(table))


def heartbeat(redis: Redis) -> dict[str, str]:
    """The edge's heartbeat; empty when it is silent."""
    beat = cast("dict[bytes, bytes]", redis.hgetall(redis_keys.edge(EDGE)))
    return {name.decode(): value.decode() for name, value in beat.items()}


def wait_for_beat(redis: Redis, **wanted: str) -> dict[str, str]:
    """The edge's heartbeat, once it says all this."""
    return wait_until(lambda: beat if wanted.items() <= (beat := heartbeat(redis)).items() else None)


def wait_for_comparison(redis: Redis) -> None:
    """Return once what Envoy counted was compared with the rows in two whole looks from now on."""
    for _ in range(3):
        before = heartbeat(redis).get("compared_until", "")
        wait_until(lambda before=before: heartbeat(redis).get("compared_until", "") > before)  # type: ignore[misc]


def end(process: subprocess.Popen[bytes] | None, *, kill: bool = False) -> None:
    """End a process and wait for it."""
    if process is not None and process.poll() is None:
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)
