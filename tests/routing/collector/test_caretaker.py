"""The caretaker tells what it did, and neither company nor trouble stops it."""

from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from routing import redis_keys
from routing.collector.caretaker import Caretaker
from routing.lake import delta_tables
from routing.lake.care import last_care, last_failure
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.tidying import Retention
from tests.factories.rows import request_row, store, stored

pytestmark = pytest.mark.slow


@pytest.fixture
def caretaker(redis: Redis, lake_url: str) -> Caretaker:
    return Caretaker(redis, lake_url, {REQUESTS: Retention(), OUTCOMES: Retention()})


def grow(lake_url: str) -> None:
    """Two files of a day that is long over."""
    for name in ("a", "b"):
        store(lake_url, REQUESTS, [request_row(name)])


def files(lake_url: str) -> int:
    return len(delta_tables.open_table(lake_url, REQUESTS).file_uris())


def test_what_it_did_can_be_seen(redis: Redis, lake_url: str, caretaker: Caretaker) -> None:
    grow(lake_url)
    caretaker.look(REQUESTS)
    caretaker.look(OUTCOMES)
    assert last_care(redis, OUTCOMES) is None
    care = last_care(redis, REQUESTS)
    assert care is not None
    assert (care.state.files, care.state.rows) == (1, 2)
    assert care.state.files_on_disk > 3
    redis.hset(redis_keys.TIDIED, REQUESTS.name, "of another release")
    assert last_care(redis, REQUESTS) is None


def test_one_at_work_keeps_others_from_the_same_work(redis: Redis, lake_url: str, caretaker: Caretaker) -> None:
    grow(lake_url)
    with redis.lock("sluice:tidy:requests", timeout=3600):
        caretaker.look(REQUESTS)
    assert files(lake_url) == 2
    caretaker.look(REQUESTS)
    assert files(lake_url) == 1


def test_what_fails_is_done_the_next_time(redis: Redis, lake_url: str, caretaker: Caretaker) -> None:
    grow(lake_url)
    log = Path(lake_url, "requests", "_delta_log")
    log.rename(log.with_name("away"))
    log.write_text("no folder")
    with capture_logs() as logs:
        caretaker.look(REQUESTS)
    assert [line["event"] for line in logs] == ["tidying of the lake postponed"]
    assert last_failure(redis, REQUESTS) is not None
    log.unlink()
    log.with_name("away").rename(log)
    caretaker.look(REQUESTS)
    assert last_failure(redis, REQUESTS) is None
    assert files(lake_url) == 1
    assert stored(lake_url, REQUESTS, "request_id") == ["a", "b"]


def test_a_broken_file_stops_it_from_merging_and_from_nothing_else(lake_url: str, caretaker: Caretaker) -> None:
    grow(lake_url)
    next(Path(lake_url, "requests", "day=2026-01-05").iterdir()).write_bytes(b"broken")
    with capture_logs() as logs:
        caretaker.look(REQUESTS)
        caretaker.look(OUTCOMES)
    assert [line["event"] for line in logs] == ["tidying of the lake postponed"]
