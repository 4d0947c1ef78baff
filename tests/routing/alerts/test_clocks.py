"""Where the clock of a worker or of the web app is off that of Redis, everybody is told whose."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.utils import timezone

from experiments.loop.jobs import tick
from routing import redis_keys
from routing.alerts.clocks import clocks_off
from routing.alerts.current import alerts
from routing.models import Tick
from tests.factories.drafts import endpoint

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def off(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the clock of this machine be so far off from now on."""
    patch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))


def told() -> list[str]:
    return [alert.detail for alert in alerts(datetime.now(UTC)) if alert.code == "clocks-differ"]


@pytest.mark.parametrize(("seconds", "way"), [(60, "s ahead of that of Redis"), (-3600, "s behind that of Redis")])
def test_a_worker_whose_clock_is_off_is_told_until_it_is_set(
    redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch, seconds: float, way: str
) -> None:
    with monkeypatch.context() as there:
        off(there, seconds)
        tick()
    [detail] = told()
    assert detail.startswith(f"The clock of the worker on {socket.gethostname()} is ")
    assert way in detail
    assert 0 < int(redis_server.ttl(redis_keys.CLOCKS)) <= 60

    tick()
    assert told() == []


@pytest.mark.usefixtures("redis_server")
def test_the_clock_of_the_web_app_is_compared_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    off(monkeypatch, -600)
    [detail] = told()
    assert detail.startswith(f"The clock of the web app on {socket.gethostname()} is ")


@pytest.mark.usefixtures("redis_server")
def test_an_answer_that_takes_long_says_nothing_of_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = datetime.now(UTC) - HOUR, datetime.now(UTC) + HOUR
    moments = iter((asked, answered))
    monkeypatch.setattr(timezone, "now", lambda: next(moments))
    assert not list(clocks_off())


def test_what_makes_no_sense_there_hides_no_other(redis_server: redis.Redis) -> None:
    redis_server.hset(redis_keys.CLOCKS, "here", "late")
    assert "unreadable" in {alert.code for alert in alerts(timezone.now())}


@pytest.mark.usefixtures("redis_server")
def test_a_tick_from_before_the_clock_was_set_back_is_no_sign_of_life() -> None:
    endpoint()
    tick()
    Tick.objects.update(at=timezone.now() + HOUR)
    assert [alert.code for alert in alerts(timezone.now())] == ["worker-silent"]
    tick()
    assert alerts(timezone.now()) == []


@pytest.mark.usefixtures("redis_server")
def test_a_worker_whose_clock_is_behind_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint()
    with monkeypatch.context() as there:
        off(there, -3600)
        tick()
    assert [alert.code for alert in alerts(timezone.now())] == ["clocks-differ"]
