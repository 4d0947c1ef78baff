"""Hundreds of pipelines wait at one gate, and a halt passes beside them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from experiments.api.waiting import LONGEST_WAIT_SECONDS, MOST_WAITING
from tests.visitors.website import ROOT, Website, run_web_app
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.database]

PIPELINES = 300
FILL = """
import os, pathlib
import django
django.setup()
from controlplane.accounts.tokens import issue_token
from controlplane.models import Role, User
from tests.experiments.views.findings import running
olga = User.objects.create_user("olga", role=Role.APPROVER)
pathlib.Path(os.environ["SLUICE_DATA_DIRECTORY"], "token").write_text(issue_token(olga, "pipeline", role=Role.APPROVER))
running("canary", traffic=10)
running("watched", traffic=10)
"""
WAIT = """
import django
django.setup()
from django.db import connection
from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.api.waiting import wait_until_decided
from experiments.models import Experiment

pauses = []

def pause(seconds):
    assert connection.connection is None
    pauses.append(seconds)
    if len(pauses) == 2:
        halt_by_hand(Experiment.objects.get(key="watched"), actor=SLUICE, reason="looks wrong")
    return False

assert wait_until_decided("watched", 55, pause)
assert len(pauses) == 2
"""


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    with run_web_app(tmp_path_factory.mktemp("gates"), FILL) as running:
        yield running


def pipeline(website: Website) -> httpx.Client:
    token = Path(website.environment["SLUICE_DATA_DIRECTORY"], "token").read_text()
    limits = httpx.Limits(max_connections=None)
    headers = {"authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{website.address}/api/v1/experiments/canary/", headers=headers, limits=limits)


def ask(client: httpx.Client) -> httpx.Response:
    return client.get("gate", params={"wait": LONGEST_WAIT_SECONDS})


def waiting(asked: list[Future[httpx.Response]]) -> list[Future[httpx.Response]]:
    return [each for each in asked if not each.done()]


def test_who_waits_holds_no_connection_to_the_database_and_hears_of_the_end(website: Website) -> None:
    subprocess.run([sys.executable, "-c", WAIT], check=True, cwd=ROOT, env=website.environment)


def test_a_server_that_restarts_answers_who_waits(website: Website) -> None:
    with pipeline(website) as client, ThreadPoolExecutor(MOST_WAITING + 1) as threads:
        asked = [threads.submit(ask, client) for _ in range(MOST_WAITING + 1)]
        wait_until(lambda: len(waiting(asked)) == MOST_WAITING)
        os.kill(website.app.pid, signal.SIGHUP)
        answers = [each.result() for each in asked]
    assert [(answer.status_code, "retry-after" in answer.headers) for answer in answers] == [(200, True)] * len(asked)


def test_a_halt_passes_beside_three_hundred_who_wait(website: Website) -> None:
    with pipeline(website) as client, ThreadPoolExecutor(PIPELINES) as threads:
        asked = [threads.submit(ask, client) for _ in range(PIPELINES)]
        wait_until(lambda: len(waiting(asked)) <= MOST_WAITING)
        turned_away = [each.result() for each in asked if each.done()]
        assert len(turned_away) == PIPELINES - MOST_WAITING
        assert {answer.status_code for answer in turned_away} == {200}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in turned_away)

        halted = client.post("halt", json={"reason": "looks wrong"})
        assert halted.status_code in {200, 503}, halted.text

        heard = [each.result().json() for each in asked if each.result() not in turned_away]
    assert [(said["outcome"], said["exit_code"]) for said in heard] == [("halted", 1)] * MOST_WAITING
