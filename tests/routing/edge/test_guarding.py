"""An edge takes a candidate that fails in a burst out by itself, and says so."""

import json
import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from routing.allocation.assign import assign
from routing.edge.envoy.configuration import write_configuration
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.guard.guarding import Guarding, Tail
from routing.edge.state.files import write_text
from routing.edge.state.kept_cuts import Cuts
from routing.edge.table.applier import Applier
from routing.table import Arm, Guard, Table, to_json
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import RunningEdge, heartbeat, publish, run_edge
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey, free_port
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

SENDERS = 8
HOUR = 3600
PATIENT = Guard(window_seconds=HOUR)
"""Requests of a busy machine come slowly, and are a burst all the same."""

SPLIT = replace(
    make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000)), guard=PATIENT
)
GIVEN_BACK = (SPLIT.arms[0], replace(SPLIT.arms[1], guard_round=1))
ENDPOINT = make_endpoint("chat", SPLIT)
ARMS = ("control", "new")
UNITS = {arm: [unit for unit in map(str, range(400)) if assign(ENDPOINT, unit).variant == arm] for arm in ARMS}


def served(stable: ModelServer, candidate: ModelServer, version: int = 5, **experiment: object) -> Table:
    backends = (make_backend("stable", stable.address), make_backend("candidate", candidate.address))
    changed = replace(SPLIT, **experiment)  # type: ignore[arg-type]
    return make_table(make_endpoint("chat", changed), backends=backends, version=version)


def cut(edge: RunningEdge) -> list[str]:
    names: list[str] = httpx.get(f"{edge.url}/.sluice/table").json()["cut"]
    return names


class SteppedGuard:
    """An Envoy whose guard looks after each request, and then only."""

    def __init__(self, folder: Path, table: Table) -> None:
        self.edge = RunningEdge(folder, f"redis://127.0.0.1:{free_port()}/0")
        directory = self.edge.directory
        write_text(directory.table, to_json(table))
        write_configuration(directory, table)
        self.cuts = Cuts(directory.cuts)
        applier = Applier(directory, EnvoyAdmin("127.0.0.1", self.edge.port, directory.admin), self.cuts)
        self._log = directory.access_log
        self._guarding = Guarding(Tail(self._log), applier, self.cuts)

    def ask(self, arm: str, times: int = 1) -> list[int]:
        """Send requests of an arm one after the other, until one leads to a cut; returns their statuses."""
        statuses: list[int] = []
        while len(statuses) < times and not self.cuts.now():
            headers = {"x-user-id": UNITS[arm][len(statuses) % len(UNITS[arm])]}
            answer = httpx.post(f"{self.edge.url}/chat", json={}, headers=headers)
            statuses.append(answer.status_code)
            wait_until(partial(self._has_logged, answer.headers["x-request-id"]))
            self._guarding.step()
        return statuses

    def _has_logged(self, request_id: str) -> bool:
        return request_id.encode() in self._log.read_bytes().rpartition(b"\n")[0]


@contextmanager
def run_stepped_guard(folder: Path, table: Table) -> Iterator[SteppedGuard]:
    guard = SteppedGuard(folder, table)
    try:
        guard.edge.start_envoy()
        yield guard
    finally:
        guard.edge.stop()


def test_fifteen_failures_beside_a_sound_control_take_a_candidate_out(
    tmp_path: Path, stable: ModelServer, candidate: ModelServer
) -> None:
    with run_stepped_guard(tmp_path, served(stable, candidate)) as guard:
        assert guard.ask("control", 20) + guard.ask("new", 20) == [200] * 40
        candidate.status = 500
        try:
            assert guard.ask("new", 40) == [500] * 15
            wait_until(lambda: cut(guard.edge) == ["canary/new"])
            later = [httpx.post(f"{guard.edge.url}/chat", headers={"x-user-id": unit}) for unit in UNITS["new"]]
        finally:
            candidate.status = 200

    assert {answer.json()["server"] for answer in later} == {"stable"}
    [told] = guard.cuts.now()
    assert (told.requests, told.failures, told.control_requests, told.control_failures) == (20, 15, 20, 0)


def test_a_cause_that_both_arms_share_takes_nothing_out(
    tmp_path: Path, stable: ModelServer, candidate: ModelServer
) -> None:
    with run_stepped_guard(tmp_path, served(stable, candidate)) as guard:
        stable.status = candidate.status = 500
        try:
            failures = [guard.ask(arm) for _ in range(60) for arm in ARMS]
        finally:
            stable.status = candidate.status = 200

        assert failures == [[500]] * 120
        assert (guard.cuts.now(), cut(guard.edge)) == ((), [])


@pytest.mark.parametrize(("first_byte_ms", "before_a_cut"), [(50, 10), (HOUR * 1000, math.inf)])
def test_a_candidate_that_begins_too_late_is_out(
    tmp_path: Path, stable: ModelServer, candidate: ModelServer, first_byte_ms: float, before_a_cut: float
) -> None:
    """Without a control to compare with, half of so many late answers are enough."""
    table = served(stable, candidate, guard=replace(PATIENT, first_byte_ms=first_byte_ms))
    candidate.delay = 0.1
    try:
        with run_stepped_guard(tmp_path, table) as guard:
            answers = guard.ask("new", 20)
    finally:
        candidate.delay = 0.0

    assert len(answers) == min(before_a_cut, 20)
    assert bool(guard.cuts.now()) is (before_a_cut < 20)


@dataclass
class Answers:
    """What was answered: status by arm. At `most_failures` no more requests are sent to the candidate."""

    counted: Counter[tuple[str, int]] = field(default_factory=Counter)
    most_failures: float = math.inf

    def failures(self, variant: str) -> int:
        return sum(count for (arm, status), count in self.counted.items() if arm == variant and status >= 500)


@contextmanager
def traffic(url: str) -> Iterator[Answers]:
    """Users who ask without pause, of each arm in turn, until the block ends."""
    answers, stop = Answers(), threading.Event()

    def send(number: int) -> None:
        connection, sent = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS), 0
        while not stop.is_set():
            sent += 1
            variant = ARMS[(number + sent) % 2]
            if answers.failures("new") >= answers.most_failures:
                variant = "control"
            unit = UNITS[variant][sent % len(UNITS[variant])]
            connection.request("POST", "/chat", "{}", {"content-type": "application/json", "x-user-id": unit})
            response = connection.getresponse()
            response.read()
            answers.counted[variant, response.status] += 1
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


def test_a_candidate_that_turns_to_errors_is_out_before_forty_users_saw_one(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, served(stable, candidate))
    edge.wait_for_table(5)
    try:
        with traffic(edge.url) as answers:
            wait_until(lambda: answers.counted["new", 200] > 200)
            answers.most_failures = 40 - SENDERS
            candidate.status = 500
            wait_until(lambda: cut(edge) == ["canary/new"])
            answered, answers.most_failures = answers.counted["new", 200], math.inf
            wait_until(lambda: answers.counted["new", 200] > answered + 100)
    finally:
        candidate.status = 200

    assert 15 <= answers.failures("new") <= 40
    assert answers.failures("control") == 0
    [told] = wait_until(lambda: json.loads(heartbeat(redis).get("cuts", "[]")))
    assert (told["experiment"], told["variant"], told["control_failures"]) == ("canary", "new", 0)
    assert told["failures"] >= 15


def test_a_cut_outlives_the_agent_and_a_new_table_until_it_is_given_back(
    edge: RunningEdge, redis: Redis, stable: ModelServer, candidate: ModelServer
) -> None:
    publish(redis, served(stable, candidate))
    edge.wait_for_table(5)
    try:
        with traffic(edge.url):
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
