"""An endpoint that keeps a share of users outside of experiments: their rows alone go on, and none counts as lost."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis import Redis

from routing.allocation.assign import assign
from routing.table import Arm
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import RunningEdge, heartbeat, publish, run_edge, wait_for_comparison
from tests.routing.edge.stored import stored_rows
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey

pytestmark = pytest.mark.slow

ARMS = (Arm("control", "stable", 0, 5_000), Arm("new", "stable", 5_000, 10_000))
ENDPOINT = replace(make_endpoint("chat", make_experiment("canary", *ARMS, coverage=2_500)), kept=2_500)
USERS = [f"user-{number}" for number in range(200)]
MEASURED = {user for user in USERS if assign(ENDPOINT, user).experiment}
REQUESTS = 3


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer) -> Iterator[RunningEdge]:
    with run_edge(tmp_path, valkey.url) as running:
        publish(redis, make_table(ENDPOINT, backends=(make_backend("stable", stable.address),)))
        running.wait_for_table(1)
        yield running


def test_users_outside_are_kept_whole_or_not_at_all_and_none_is_lost(edge: RunningEdge, redis: Redis) -> None:
    with httpx.Client(base_url=edge.url) as client:
        for _ in range(REQUESTS):
            for user in USERS:
                assert client.post("/chat", json={}, headers={"x-user-id": user}).status_code == 200
    wait_for_comparison(redis)

    rows = stored_rows(redis)
    measured = Counter(row["unit"] for row in rows if row["experiment"])
    outside = Counter(row["unit"] for row in rows if not row["experiment"])
    assert (len(measured), set(measured.values())) == (len(MEASURED), {REQUESTS})
    # Of some 150 users a quarter, by four standard errors.
    expected = (len(USERS) - len(MEASURED)) / 4
    assert abs(len(outside) - expected) < 4 * (expected * 0.75) ** 0.5
    assert set(outside.values()) == {REQUESTS}
    assert {(row["experiment"], row["kept_share"]) for row in rows} == {("canary", None), (None, 0.25)}
    assert json.loads(heartbeat(redis).get("losses", "[]")) == []
