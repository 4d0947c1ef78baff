"""`kill -9` of each process during a ramp: the loop goes on, and nothing is lost or counted twice."""

import time

import httpx
import pytest

from examples.demo.story import BETTER, experiment_form
from examples.demo.traffic import Crowd
from tests.loop.installation import Installation, wait_until
from tests.loop.lake import outcome_ids, request_ids
from tests.loop.users import live_users

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CALM_SECONDS = 1.5
LOSSLESS = ("sluice:agent", "sluice:collector", "sluice:worker", "sluice:beat", "sluice:web", "sluice:front", "valkey")
STAGES = [
    {"coverage": 40, "soak_seconds": 3},
    {"coverage": 70, "soak_seconds": 3},
    {"coverage": 100, "soak_seconds": 600},
]
RATE = 60.0
LINES_OF_ONE_FLUSH = 22
"""Envoy flushes each 0.1 s: 6 lines on average, and more than 22 once in 10 million flushes (Poisson)."""


def kill_and_wait(installation: Installation, program: str) -> None:
    """Kill a program and return once another process has taken its place."""
    before = installation.process_id(program)
    installation.kill(program)
    wait_until(lambda: installation.process_id(program) not in (0, before), f"{program} is back", 30)


def newest_analysis(installation: Installation) -> int:
    """Its number; 0 while there is none or the API does not answer."""
    try:
        found = installation.api("GET", "experiments/ramp/analyses?page_size=1")["results"]
    except httpx.HTTPError:
        return 0
    return int(found[0]["id"]) if found else 0


def stage(installation: Installation) -> int:
    """Which stage the ramp is on."""
    return int(installation.api("GET", "experiments/ramp")["stage"]["number"])


def test_each_process_is_killed_and_nothing_is_lost(installation: Installation) -> None:
    form = experiment_form("ramp", "Ramp", BETTER, stages=STAGES, tick_seconds=1, minimum_units=10)
    installation.api("POST", "experiments", form)
    installation.api("POST", "experiments/ramp/start")
    with live_users(installation, Crowd(users=600, rate=RATE)) as report:
        wait_until(lambda: report.total_answered > 50, "users are served", 30)
        for program in LOSSLESS:
            kill_and_wait(installation, program)
            time.sleep(CALM_SECONDS)
        wait_until(lambda: newest_analysis(installation) > 0, "the API answers again", 30)
        seen = newest_analysis(installation)
        wait_until(lambda: newest_analysis(installation) > seen, "the loop analyses again", 60)
        wait_until(lambda: stage(installation) == len(STAGES), "the ramp reaches its last stage", 60)
    assert report.failures_of_sluice == 0
    assert report.broken_connections == 0
    wait_until(lambda: request_ids(installation.directory).total() >= report.total_answered, "all requests", 60)
    wait_until(lambda: outcome_ids(installation.directory).total() >= report.feedback_sent, "all feedback", 30)
    requests, outcomes = request_ids(installation.directory), outcome_ids(installation.directory)
    assert requests.total() == len(requests) == report.total_answered
    assert outcomes.total() == len(outcomes)


def test_envoy_is_killed_and_back_within_a_second(installation: Installation) -> None:
    recorded = request_ids(installation.directory).total()
    with live_users(installation, Crowd(users=600, rate=RATE, seed=2)) as report:
        wait_until(lambda: report.total_answered > 50, "users are served", 30)
        installation.kill_envoy()
        killed_at = time.monotonic()
        wait_until(lambda: _answers(installation), "Envoy answers again", 10, every=0.02)
        away = time.monotonic() - killed_at
        served = report.total_answered
        wait_until(lambda: report.total_answered > served + 50, "users are served again", 30)
    assert away < 1
    assert report.failures_of_sluice == 0
    assert report.broken_connections < RATE * (away + 1)
    least = recorded + report.total_answered - LINES_OF_ONE_FLUSH
    wait_until(lambda: request_ids(installation.directory).total() >= least, "the requests but for one flush", 60)
    requests = request_ids(installation.directory)
    assert requests.total() == len(requests) <= recorded + report.total_answered + report.broken_connections


def _answers(installation: Installation) -> bool:
    try:
        return httpx.get(f"{installation.edge_url}/.sluice/table", timeout=1).is_success
    except httpx.HTTPError:
        return False
