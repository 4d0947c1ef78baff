"""Brakes while the database is locked, or away altogether."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from controlplane.models import Role
from routing.publishing import redis_table, waiting_orders
from routing.publishing.waiting_orders import Verb
from routing.table import Arm, Table, from_json, to_json
from tests.factories.tables import make_endpoint, make_experiment, make_table
from tests.separate import run_apart
from tests.servers.processes import free_port

ROOT = Path(__file__).resolve().parents[3]
SPLIT = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
TABLE = make_table(
    make_endpoint("chat", SPLIT),
    make_endpoint("docs", make_experiment("other", *SPLIT.arms), path_prefix="/docs"),
    version=7,
)


def running_on(table: Table) -> list[str]:
    return [experiment.key for endpoint in table.endpoints for experiment in endpoint.experiments]


@pytest.mark.database
def test_a_halt_does_not_wait_for_who_holds_the_database(tmp_path: Path, redis_server: Redis) -> None:
    port = redis_server.connection_pool.connection_kwargs["port"]
    url = f"redis://127.0.0.1:{port}/0"
    found = run_apart("tests.experiments.lifecycle.locking", folder=tmp_path, SLUICE_REDIS_URL=url)

    assert (found["code"], found["running"], found["state"]) == ("recorded-later", [], "halted")


@pytest.mark.parametrize(("words", "left"), [([], []), (["--endpoint", "chat"], ["other"])])
def test_the_command_line_needs_no_database(
    tmp_path: Path, redis_server: Redis, words: list[str], left: list[str]
) -> None:
    redis_table.put_table(redis_server, TABLE.version, to_json(TABLE))
    environment = {
        **os.environ,
        "SLUICE_DATA_DIRECTORY": str(tmp_path),
        "SLUICE_DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/nothing",
        "SLUICE_REDIS_URL": f"redis://127.0.0.1:{redis_server.connection_pool.connection_kwargs['port']}/0",
    }
    command = [sys.executable, "manage.py", "kill-switch", "on", *words, "--reason", "looks wrong"]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, "It is done" in ended.stdout) == (0, True), ended.stderr
    told = from_json(redis_table.current_table(redis_server).content)
    assert (told.version, running_on(told)) == (8, left)
    [order] = waiting_orders.waiting(redis_server)
    assert (order.verb, order.subject, order.reason) == (Verb.STOP, words[-1] if words else "", "looks wrong")
    assert order.role == Role.ADMIN
