"""Edges on machines of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import httpx
import pytest
from redis import Redis

from routing import redis_keys
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.routing.edge.edges import UNIT_KEY, publish
from tests.servers.envoys import served_version
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey, free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


@contextmanager
def run_up(name: str, folder: Path, redis_url: str) -> Iterator[str]:
    """One edge by its own command; yields where it serves."""
    port = free_port()
    environment = {
        **os.environ,
        "SLUICE_DATA_DIRECTORY": str(folder),
        "SLUICE_REDIS_URL": redis_url,
        "SLUICE_UNIT_KEY": UNIT_KEY,
        "SLUICE_EDGE_NAME": name,
        "SLUICE_EDGE_ZONE": "eu",
        "SLUICE_EDGE_LABELS": "gpu=h100",
        "SLUICE_EDGE_PORT": str(port),
    }
    process = subprocess.Popen([sys.executable, "-m", "routing.edge.up"], cwd=ROOT, env=environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def served_by_all(urls: list[str]) -> set[int | None]:
    return {served_version(url) for url in urls}


def beat_of(redis: Redis, name: str) -> dict[str, str]:
    beat = cast("dict[bytes, bytes]", redis.hgetall(redis_keys.edge(name)))
    return {field.decode(): value.decode() for field, value in beat.items()}


def test_two_edges_serve_one_table(tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer) -> None:
    table = make_table(make_endpoint(), backends=(make_backend("stable", stable.address),), version=3)
    publish(redis, table)
    with ExitStack() as stack:
        urls = [stack.enter_context(run_up(name, tmp_path / name, valkey.url)) for name in ("one", "two")]
        wait_until(lambda: served_by_all(urls) == {3})
        for url in urls:
            assert httpx.post(f"{url}/chat", json={}).json()["server"] == "stable"
        beat = wait_until(lambda: told if (told := beat_of(redis, "two")).get("applied_version") == "3" else None)

    assert (beat["zone"], beat["labels"], beat["healthy"], json.loads(beat["cuts"])) == ("eu", "gpu=h100", "1", [])
    assert served_by_all(urls) == {None}
