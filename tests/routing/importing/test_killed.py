"""The process of an import is killed in the middle of it, again and again: each row is taken once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from redis import Redis

from tests.migrated import new_database
from tests.routing.importing.files import csv_of, queued, row
from tests.servers.processes import run_valkey
from tests.visitors.website import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROWS = 40_000
BAD = range(0, ROWS, 1_000)
PROGRESS = "{sluice:outcomes}:import:*"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An installation of its own, of which nothing runs but Valkey."""
    with run_valkey(tmp_path / "valkey") as valkey:
        settings = {
            "DJANGO_SETTINGS_MODULE": "controlplane.settings.django",
            "SLUICE_DATA_DIRECTORY": str(tmp_path),
            "SLUICE_DATABASE_URL": new_database(tmp_path),
            "SLUICE_REDIS_URL": valkey.url,
            "SLUICE_LAKE_URL": str(tmp_path / "lake"),
            "SLUICE_UNIT_KEY": "00" * 16,
        }
        yield os.environ | settings


@pytest.fixture
def redis(environment: dict[str, str]) -> Iterator[Redis]:
    with Redis.from_url(environment["SLUICE_REDIS_URL"], decode_responses=True) as client:
        yield client


def import_events(file: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "import_events", str(file)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def rows_in(redis: Redis) -> int:
    return max((int(cast("str", redis.hget(key, "rows"))) for key in redis.scan_iter(PROGRESS)), default=0)


def has_more(redis: Redis, before: int) -> bool:
    return rows_in(redis) > before


def test_every_row_is_taken_once_however_often_the_process_is_killed(
    tmp_path: Path, environment: dict[str, str], redis: Redis
) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(csv_of([row(number, **({"value": "x"} if number in BAD else {})) for number in range(ROWS)]))
    for _ in range(2):
        before = rows_in(redis)
        with import_events(file, environment) as process:
            wait_until(partial(has_more, redis, before))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert rows_in(redis) < ROWS

    with import_events(file, environment) as process:
        told = process.communicate()[0]

    assert process.returncode == 0, told
    assert f"Done: {ROWS} of {ROWS} rows, {ROWS - len(BAD)} accepted, 0 known before, {len(BAD)} refused." in told
    assert told.count(": value: ") == len(BAD)
    taken = [each["request_id"] for each in queued(redis)]
    assert len(taken) == len(set(taken)) == ROWS - len(BAD)

    with import_events(file, environment) as process:
        again = process.communicate()[0]
    assert f"0 accepted, {ROWS - len(BAD)} known before, {len(BAD)} refused." in again
    assert len(queued(redis)) == len(taken)


def test_what_cannot_be_imported_ends_in_words(tmp_path: Path, environment: dict[str, str]) -> None:
    for name, content in (("labels.xls", b"x"), ("labels.csv", b"colour\nblue\n"), ("gone.csv", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with import_events(tmp_path / name, environment) as process:
            process.communicate()
        assert process.returncode == 1
