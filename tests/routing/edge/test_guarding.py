"""An edge takes a candidate that fails in a burst out by itself, and says so."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from routing.assign import assign
from routing.table import Arm, Guard, Table
from tests.routing.edge.edges import RunningEdge, heartbeat, publish, run_edge, wait_until
from tests.routing.model_servers import ModelServer
from tests.routing.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers import RunningValkey

SENDERS = 8
SPLIT = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
GIVEN_BACK = (SPLIT.arms[0], replace(SPLIT.arms[1], guard_round=1))
ENDPOINT = make_endpoint("chat", SPLIT)
ARMS = ("control", "new")
UNITS = {arm: [unit for unit in map(str, range(400)) if assign(ENDPOINT, unit).variant == arm] for arm in ARMS}


@dataclass
class Answers:
    """What was answered: status by arm, and when each failure was."""

    counted: Counter[tuple[str, int]] = field(default_factory=Counter)
    failed_at: list[float] = field(default_factory=list)

    def failures(self, variant: str) -> int:
        return sum(count for (arm, status), count in self.counted.items() if arm == variant and status >= 500)


@contextmanager
def steady_traffic(url: str, per_second: float) -> Iterator[Answers]:
    """So many requests a second to each arm, until the block ends."""
    answers, stop = Answers(), threading.Event()

    def send(number: int) -> None:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
        started, sent = time.monotonic(), 0
        while not stop.is_set():
            sent += 1
            variant = ARMS[(number + sent) % 2]
            unit = UNITS[variant][sent % len(UNITS[variant])]
            connection.request("POST", "/chat", "{}", {"content-type": "application/json", "x-user-id": unit})
            response = connection.getresponse()
            response.read()
            answers.counted[variant, response.status] += 1
            if response.status >= 500:
                answers.failed_at.append(time.monotonic())
            stop.wait(max(0.0, started + sent * SENDERS / per_second / 2 - time.monotonic()))
        connection.close()

    senders = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        yield answers
    finally:
        stop.set()
        for sender in senders:
            sender.join()


@pytest.fixture
def edge(tmp_path: Path, valkey: RunningValkey, redis: Redis) -> Iterator[RunningEdge]:
    with run_edge(tmp_path, valkey.url) as running:
        yield running


def served(stable: ModelServer, candidate: ModelServer, version: int = 5, **experiment: object) -> Table:
    backends = (make_backend("stable", stable.address), make_backend("candidate", candidate.address))
    changed = replace(SPLIT, **experiment)  # type: ignore[arg-type]
    return make_table(make_endpoint("chat", changed), backends=backends, version=version)


def cut(edge: RunningEdge) -> list[str]:
    names: list[str] = httpx.get(f"{edge.url}/.sluice/table").json()["cut"]
    return names


def test_a_candidate_that_turns_to_errors_is_out_before_forty_users_saw_one(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, served(stable, candidate))
    edge.wait_for_table(5)
    try:
        with steady_traffic(edge.url, per_second=200) as answers:
            wait_until(lambda: answers.counted["new", 200] > 200)
            candidate.status = 500
            wait_until(lambda: cut(edge) == ["canary/new"])
            answered = answers.counted["new", 200]
            wait_until(lambda: answers.counted["new", 200] > answered + 100)
    finally:
        candidate.status = 200

    assert 15 <= answers.failures("new") <= 40
    assert answers.failed_at[-1] - answers.failed_at[0] < 1
    assert answers.failures("control") == 0
    wait_until(lambda: "canary" in heartbeat(redis).get("cuts", ""))
    [told] = json.loads(heartbeat(redis)["cuts"])
    assert (told["experiment"], told["variant"], told["control_failures"]) == ("canary", "new", 0)
    assert told["failures"] >= 15


def test_a_cause_that_both_arms_share_takes_nothing_out(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, served(stable, candidate))
    edge.wait_for_table(5)
    try:
        with steady_traffic(edge.url, per_second=100) as answers:
            wait_until(lambda: answers.counted["new", 200] > 20)
            stable.status = candidate.status = 500
            wait_until(lambda: answers.failures("new") > 100)
    finally:
        stable.status = candidate.status = 200

    assert cut(edge) == []


def test_a_candidate_that_begins_too_late_is_out(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, served(stable, candidate, guard=Guard(first_byte_ms=50)))
    edge.wait_for_table(5)
    try:
        with steady_traffic(edge.url, per_second=60) as answers:
            wait_until(lambda: answers.counted["new", 200] > 20)
            candidate.delay = 0.1
            wait_until(lambda: cut(edge) == ["canary/new"])
    finally:
        candidate.delay = 0.0


def test_a_cut_outlives_the_agent_and_a_new_table_until_it_is_given_back(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, served(stable, candidate))
    edge.wait_for_table(5)
    try:
        with steady_traffic(edge.url, per_second=60):
            candidate.status = 500
            wait_until(lambda: cut(edge) == ["canary/new"])
    finally:
        candidate.status = 200

    edge.kill_agent()
    edge.start_agent()
    publish(redis, served(stable, candidate, version=6, coverage=5_000))
    edge.wait_for_table(6)
    assert cut(edge) == ["canary/new"]
    publish(redis, served(stable, candidate, version=7, arms=GIVEN_BACK))
    edge.wait_for_table(7)
    assert cut(edge) == []
    wait_until(lambda: heartbeat(redis).get("cuts") == "[]")
