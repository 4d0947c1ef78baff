"""Where no worker ticks, everybody is told."""

from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from controlplane.models import Role
from experiments.loop.jobs import tick
from routing import redis_keys
from routing.alerts.current import alerts
from routing.models import RoutingTable, Tick
from tests.connections import environment
from tests.databases import refusing_writes
from tests.factories.drafts import endpoint
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

PAGES = ("/", "/experiments/new", "/endpoints", "/backends", "/edges", "/metrics", "/layers", "/kill-switch")
MINUTE = timedelta(minutes=1)


def codes(seconds: float = 0.0) -> list[str]:
    """What is told so long from now."""
    return [alert.code for alert in alerts(timezone.now() + timedelta(seconds=seconds)) if "worker" in alert.code]


def long_ago() -> None:
    """As if the last tick had been a minute ago."""
    Tick.objects.update(at=timezone.now() - MINUTE)


def test_a_worker_that_stopped_is_an_alert_until_it_ticks_again(redis_server: redis.Redis) -> None:
    endpoint()
    tick()
    assert codes() == codes(seconds=10) == []
    assert codes(seconds=30) == ["worker-silent"]

    long_ago()
    [alert] = alerts(timezone.now())
    assert alert.since == Tick.objects.get().at
    assert f"since {alert.since:%Y-%m-%d %H:%M:%S} UTC" in alert.detail
    assert "worker and beat run" in alert.next_step

    tick()
    assert codes() == []


def test_every_page_and_the_api_say_so(redis_server: redis.Redis, viewer: Caller) -> None:
    endpoint()
    tick()
    long_ago()
    assert [alert["code"] for alert in viewer.get("alerts").json()] == ["worker-silent"]
    browser = visitor(Role.APPROVER)
    for path in PAGES:
        assert "No worker has gone through its tick" in text(browser, path)


def test_without_redis_no_worker_is_told_to_tick() -> None:
    endpoint()
    Tick.objects.create(pk=1, at=timezone.now() - MINUTE)
    assert codes() == ["worker-silent"]


def test_one_that_never_ticked_is_said_in_time_but_not_at_once() -> None:
    assert codes(seconds=3600) == []
    endpoint()
    assert RoutingTable.objects.exists()
    assert codes() == codes(seconds=30) == []
    assert codes(seconds=150) == ["worker-silent"]


def test_a_tick_that_the_database_does_not_take_is_one(redis_server: redis.Redis) -> None:
    endpoint()
    tick()
    long_ago()
    with refusing_writes():
        tick()
        assert codes() == []
    assert redis_server.get(redis_keys.TICKED) is not None
    assert codes(seconds=30) == ["worker-silent"]


@pytest.mark.usefixtures("redis_server")
def test_a_slow_rhythm_is_no_silence() -> None:
    endpoint()
    tick()
    with environment(tick_seconds="60"):
        assert codes(seconds=500) == []
        assert codes(seconds=700) == ["worker-silent"]
