"""What is scheduled is sent, waits once at most, and is taken, whatever the clocks of beat and worker say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from celery import Celery
from celery.beat import Scheduler, Service
from celery.worker.request import Request
from kombu import Connection

from controlplane.settings.celery import app
from controlplane.settings.queues import JOBS, queue
from experiments.loop.jobs import tick
from routing.erasure.jobs import erase_what_is_asked
from tests.servers.processes import RunningValkey
from tests.waiting import wait_until

TICKS = queue(tick.name)


@pytest.fixture
def broker(
    redis_server: redis.Redis, session_valkey: RunningValkey, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    monkeypatch.setattr(app.conf, "broker_url", session_valkey.url)
    with Connection(session_valkey.url) as connection:
        yield connection


@pytest.fixture
def beat(broker: Connection) -> Scheduler:
    """As the process of beat has it."""
    app.loader.import_default_modules()
    return Service(app, scheduler_cls=app.conf.beat_scheduler).get_scheduler()


def sent(beat: Scheduler, client: redis.Redis) -> int:
    """How many ticks wait once beat has come to its next one."""
    before = beat.schedule["experiments.loop.jobs.tick"].total_run_count

    def has_come() -> bool:
        beat.tick()
        return bool(beat.schedule["experiments.loop.jobs.tick"].total_run_count > before)

    wait_until(has_come)
    return int(client.llen(TICKS))


def shifted(seconds: float) -> Any:
    """What a clock that is so far off tells Celery."""
    return lambda self: datetime.now(UTC) + timedelta(seconds=seconds)


def is_discarded(broker: Connection) -> bool:
    """What a worker makes of the tick that waits."""
    channel = broker.channel()
    message = app.amqp.queues[TICKS](channel).get(no_ack=True)
    return bool(Request(message, app=app, task=tick).revoked())


def test_each_job_that_is_scheduled_is_known_to_a_worker() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= ours == set(JOBS)
    assert {worked.name for worked in app.amqp.queues.consume_from.values()} == set(map(queue, JOBS))


def test_erasures_are_looked_for_each_minute() -> None:
    [entry] = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == erase_what_is_asked.name]
    assert entry["schedule"].run_every <= timedelta(minutes=1)


@pytest.mark.parametrize("ahead", [-3600.0, -10.0, 3600.0])
def test_a_tick_is_taken_by_a_worker_whatever_the_clock_of_beat_says(
    beat: Scheduler, broker: Connection, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(Celery, "now", shifted(ahead))
        assert sent(beat, redis_server) == 1
    assert not is_discarded(broker)


def test_a_clock_that_is_set_back_stops_no_tick(
    beat: Scheduler, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(beat, redis_server)
    redis_server.delete(TICKS)
    monkeypatch.setattr(Celery, "now", shifted(-3600.0))
    assert sent(beat, redis_server) == 1


def test_while_no_worker_is_there_one_tick_waits(beat: Scheduler, redis_server: redis.Redis) -> None:
    assert [sent(beat, redis_server) for _ in range(3)] == [1, 1, 1]
    redis_server.delete(TICKS)
    assert sent(beat, redis_server) == 1


def test_what_lies_in_the_place_of_the_queue_stops_no_tick(beat: Scheduler, redis_server: redis.Redis) -> None:
    redis_server.set(TICKS, "garbage")
    assert sent(beat, redis_server) == 1
