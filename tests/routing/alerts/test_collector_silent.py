"""Where nothing is collected, everybody is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.utils import timezone

from controlplane.models import Role
from experiments.loop.jobs import tick
from routing import redis_keys
from routing.alerts.current import alerts
from routing.collector.collector import Collector
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.factories.drafts import endpoint
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

PAGES = ("/", "/experiments/new", "/endpoints", "/backends", "/edges", "/metrics", "/layers", "/kill-switch")


def codes(seconds: float = 0.0) -> list[str]:
    """What is told so long from now."""
    return [alert.code for alert in alerts(timezone.now() + timedelta(seconds=seconds)) if "collect" in alert.code]


@pytest.fixture(autouse=True)
def _table(redis_server: redis.Redis) -> None:
    endpoint()
    tick()


def wait_in(server: redis.Redis, stream: str) -> None:
    server.xadd(stream, {"rows": "[]"}, id="5-1")


@pytest.mark.parametrize("stream", [redis_keys.OUTCOMES, redis_keys.requests("edge-1")])
def test_what_waits_where_nothing_ever_collected(redis_server: redis.Redis, stream: str) -> None:
    assert codes(seconds=100) == []
    redis_server.sadd(redis_keys.EDGES, "edge-1")
    wait_in(redis_server, stream)
    assert codes(seconds=10) == []
    assert codes(seconds=40) == ["collector-silent"]


def test_a_collector_that_stopped_is_an_alert_until_it_goes_on(redis_server: redis.Redis, tmp_path: Path) -> None:
    server = redis.Redis(port=redis_server.connection_pool.connection_kwargs["port"])
    collectors = [Collector(server, f"{tmp_path}/lake", table) for table in (REQUESTS, OUTCOMES)]
    redis_server.sadd(redis_keys.EDGES, "edge-1")
    for collector in collectors:
        collector.step()
    wait_in(redis_server, redis_keys.requests("edge-1"))
    assert codes(seconds=20) == []
    assert codes(seconds=40) == ["collector-silent"]

    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    redis_server.hset(redis_keys.COLLECTOR, REQUESTS.name, long_ago.isoformat())
    [alert] = [alert for alert in alerts(timezone.now()) if alert.code == "collector-silent"]
    assert alert.since == long_ago
    assert f"since {long_ago:%Y-%m-%d %H:%M:%S} UTC" in alert.detail
    assert "collector runs" in alert.next_step

    collectors[0].step()
    assert codes() == []
    server.close()


def test_every_page_and_the_api_say_so(redis_server: redis.Redis, viewer: Caller) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    redis_server.hset(redis_keys.COLLECTOR, mapping=dict.fromkeys((REQUESTS.name, OUTCOMES.name), long_ago.isoformat()))
    assert [alert["code"] for alert in viewer.get("alerts").json()] == ["collector-silent"]
    browser = visitor(Role.APPROVER)
    for path in PAGES:
        assert "Nothing has been collected since" in text(browser, path)


@pytest.mark.parametrize("nonsense", ["", "garbage", "2026-11-27"])
def test_what_is_no_time_counts_as_none(redis_server: redis.Redis, nonsense: str) -> None:
    redis_server.hset(redis_keys.COLLECTOR, REQUESTS.name, nonsense)
    assert codes(seconds=100) == []
    wait_in(redis_server, redis_keys.OUTCOMES)
    assert codes(seconds=100) == ["collector-silent"]
