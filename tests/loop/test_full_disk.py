"""A whole installation whose disk is full to the last byte, and whatever comes free is taken at once.

No user's request fails, brakes work, and once there is room again all is recorded or known to be lost.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from examples.demo.models import counts, run_models
from examples.demo.sluice import Sluice
from examples.demo.story import BETTER, CHEAPER, MODELS, experiment_form, register
from examples.demo.traffic import Crowd, Report
from tests.disks import fill, free_bytes, small_disk
from tests.loop.installation import Installation, run_installation
from tests.loop.lake import request_ids
from tests.loop.users import live_users
from tests.servers.envoys import served_version
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PLAN = {
    "stages": [{"coverage": 100, "soak_seconds": 600}],
    "metrics": [{"metric": "latency", "role": "guardrail", "margin": 5, "minimum_effect": 1}],
}
# Deeper than the path of a socket may be, and no single word.
DEEP_FOLDER = f"data of an installation {'deep' * 20}"
SOME_ANSWERS = 100
BITE_SECONDS = 0.005
REASON = {"reason": "the disk is full"}


@contextmanager
def eaten_up(disk: Path) -> Iterator[None]:
    """Nothing is free on this disk until the block ends."""
    stop = threading.Event()

    def eat() -> None:
        while not stop.wait(BITE_SECONDS):
            fill(disk)

    eater = threading.Thread(target=eat)
    eater.start()
    try:
        wait_until(lambda: free_bytes(disk) == 0)
        yield
    finally:
        stop.set()
        eater.join()
        (disk / "everything-else").unlink()


def await_answers(report: Report, count: int) -> None:
    wanted = report.total_answered + count
    wait_until(lambda: report.total_answered >= wanted)


def pull(installation: Installation, path: str, body: dict[str, Any]) -> None:
    """Send a brake; return once the edge serves another table, whatever the database had to say of it."""
    before = served_version(installation.edge_url)
    answer = installation.client.post(f"/api/v1/{path}", json=body, timeout=60)
    assert answer.status_code in (200, 202), answer.text
    wait_until(lambda: served_version(installation.edge_url) != before)


def is_silent(report: Report, port: int) -> bool:
    """Whether no request reaches a model any longer, while others are answered."""
    await_answers(report, SOME_ANSWERS)
    before = counts(port)
    await_answers(report, SOME_ANSWERS)
    return counts(port) == before


def test_brakes_need_no_free_disk_and_every_answer_is_accounted_for(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / DEEP_FOLDER, megabytes=400) as disk,
        run_models(MODELS) as ports,
        run_installation(disk) as installation,
    ):
        with Sluice(installation.credentials["SLUICE_URL"], installation.credentials["SLUICE_TOKEN"]) as sluice:
            register(sluice, ports)
        for key, model in (("one", BETTER), ("two", CHEAPER)):
            installation.api("POST", "experiments", {**experiment_form(key, key, model, **PLAN), "guard": None})
            installation.api("POST", f"experiments/{key}/start")
        with live_users(installation, Crowd(users=300, rate=60)) as report:
            await_answers(report, SOME_ANSWERS)
            with eaten_up(disk):
                await_answers(report, 2 * SOME_ANSWERS)
                pull(installation, "experiments/one/halt", REASON)
                assert is_silent(report, ports[BETTER.key])
                pull(installation, "kill-switch", {**REASON, "on": True})
                assert is_silent(report, ports[CHEAPER.key])
                alerts = {alert["code"] for alert in installation.api("GET", "alerts")}
                assert "disk-full" in alerts
            wait_until(lambda: is_recorded(installation))
            await_answers(report, SOME_ANSWERS)
        assert (report.failures_of_sluice, report.broken_connections) == (0, 0)
        wait_until(lambda: accounted_for(installation) == report.total_answered)
        assert "disk-full" not in {alert["code"] for alert in installation.api("GET", "alerts")}


def is_recorded(installation: Installation) -> bool:
    """Whether the database knows of both brakes."""
    try:
        halted = installation.api("GET", "experiments/one")
        stop = installation.api("GET", "kill-switch")["everywhere"]
    except httpx.HTTPError:
        return False
    return bool(halted["state"] == "halted" and stop and stop["by"] == "admin")


def accounted_for(installation: Installation) -> int:
    """Rows in the lake, and those that are known to be lost."""
    [edge] = installation.api("GET", "edges")["results"]
    return request_ids(installation.directory).total() + sum(loss["rows"] or 0 for loss in edge["losses"])
