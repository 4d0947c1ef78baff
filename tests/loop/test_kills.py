"""`kill -9` of each process during a ramp: the loop goes on, and nothing is lost or counted twice."""

import httpx
import pytest

from examples.demo.story import BETTER, experiment_form
from examples.demo.traffic import Crowd
from tests.loop.installation import Installation
from tests.loop.lake import outcome_ids, request_ids
from tests.loop.users import live_users
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

LOSSLESS = ("sluice:agent", "sluice:collector", "sluice:worker", "sluice:beat", "sluice:web", "sluice:front", "valkey")
DAY = 86_400
STAGES = [
    {"coverage": 40, "soak_seconds": 3},
    {"coverage": 70, "soak_seconds": 3},
    {"coverage": 100, "soak_seconds": DAY},
]
RATE = 60.0


def kill_and_wait(installation: Installation, program: str) -> None:
    """Kill a program; return once another process has taken its place and the loop has analysed again."""
    before, seen = installation.process_id(program), newest_analysis(installation)
    installation.kill(program)
    wait_until(lambda: installation.process_id(program) not in (0, before))
    wait_until(lambda: newest_analysis(installation) > seen)


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
    plan = {"stages": STAGES, "tick_seconds": 1, "minimum_units": 10, "maximum_seconds": 2 * DAY}
    installation.api("POST", "experiments", experiment_form("ramp", "Ramp", BETTER, **plan))
    installation.api("POST", "experiments/ramp/start")
    with live_users(installation, Crowd(users=600, rate=RATE)) as report:
        wait_until(lambda: report.total_answered > 50)
        wait_until(lambda: newest_analysis(installation))
        for program in LOSSLESS:
            kill_and_wait(installation, program)
        wait_until(lambda: stage(installation) == len(STAGES))
    assert report.failures_of_sluice == 0
    assert report.broken_connections == 0
    wait_until(lambda: request_ids(installation.directory).total() >= report.total_answered)
    wait_until(lambda: outcome_ids(installation.directory).total() >= report.feedback_sent)
    requests, outcomes = request_ids(installation.directory), outcome_ids(installation.directory)
    assert requests.total() == len(requests) == report.total_answered
    assert outcomes.total() == len(outcomes)


def test_a_killed_envoy_is_back_at_once_and_what_it_had_written_is_kept(installation: Installation) -> None:
    options = installation.envoy_info()["command_line_options"]
    recorded = request_ids(installation.directory).total()
    with live_users(installation, Crowd(users=600, rate=RATE, seed=2)) as report:
        wait_until(lambda: report.total_answered > 50)
        ended = report.total_answered + report.broken_connections
        installation.kill_envoy()
        written = installation.written_ids()
        wait_until(lambda: _answers(installation))
        sent, answered = report.sent, report.total_answered
        wait_until(lambda: report.total_answered > answered + 50)
    assert '"started_again_after_seconds": 0.0' in installation.log("sluice:envoy")
    assert report.failures_of_sluice == 0
    assert report.broken_connections <= sent - ended
    # What it had not written is what it had answered in the last moment.
    assert options["file_flush_interval"] == "0.020s"
    wait_until(lambda: written <= request_ids(installation.directory).keys())
    least = recorded + report.total_answered - answered
    wait_until(lambda: request_ids(installation.directory).total() >= least)
    requests = request_ids(installation.directory)
    assert requests.total() == len(requests) <= recorded + report.total_answered + report.broken_connections


def _answers(installation: Installation) -> bool:
    try:
        return httpx.get(f"{installation.edge_url}/.sluice/table").is_success
    except httpx.HTTPError:
        return False
