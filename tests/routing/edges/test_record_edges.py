"""What edges report is kept, whichever release they are of; none stops the others, nor the tick."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import redis_keys
from routing.alerts.current import alerts
from routing.edges.record_edges import record_edges
from routing.edges.reported import cuts_of
from routing.models import Edge
from tests.servers.processes import run_valkey

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
CUT = {
    "experiment": "canary",
    "variant": "better",
    "guard_round": 0,
    "time": "2026-01-01T00:00:00+00:00",
    "requests": 20,
    "failures": 15,
    "control_requests": 20,
    "control_failures": 0,
}
BEAT = {
    "name": "sound",
    "zone": "eu",
    "labels": "gpu=h100",
    "applied_version": "7",
    "applied_at": "2026-11-26T11:00:00+00:00",
    "seen_at": "2026-11-26T11:59:59+00:00",
    "healthy": "1",
    "error": "",
    "cuts": "[]",
    "loads": '{"stable": {"waiting": 3.0, "running": null, "cache_used": 0.25}}',
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    directory: Path = tmp_path_factory.mktemp("valkey")
    with run_valkey(directory) as running:
        client = redis.Redis.from_url(running.url, decode_responses=True)
        yield client
        client.close()


@pytest.fixture
def client(server: redis.Redis) -> redis.Redis:
    server.flushall()
    return server


def beat(client: redis.Redis, name: str | bytes = "sound", **fields: Any) -> None:
    """A heartbeat like that of this release, but for the fields that differ; None leaves one out."""
    told: dict[Any, Any] = {key: value for key, value in {**BEAT, "name": name, **fields}.items() if value is not None}
    key = redis_keys.edge("").encode() + (name if isinstance(name, bytes) else name.encode())
    client.sadd(redis_keys.EDGES, name)
    client.hset(key, mapping=told)
    client.expire(key, 10)


def edge(name: str = "strange") -> Edge:
    return Edge.objects.get(name=name)


def codes() -> list[tuple[str, str]]:
    return [(alert.code, alert.edge) for alert in alerts(NOW)]


def test_an_edge_of_this_release_is_kept_as_it_reports(client: redis.Redis) -> None:
    beat(client, cuts=json.dumps([CUT]))
    assert record_edges(client, now=NOW) == 1
    found = edge("sound")
    assert (found.zone, found.labels, found.applied_version, found.healthy) == ("eu", "gpu=h100", 7, True)
    assert (found.seen_at, found.applied_at) == (NOW - timedelta(seconds=1), NOW - timedelta(hours=1))
    assert (found.cuts, found.unread) == ([CUT], "")
    assert found.loads == {"stable": {"waiting": 3.0, "running": None, "cache_used": 0.25}}


def test_fields_of_a_later_release_are_ignored_at_every_depth(client: redis.Redis) -> None:
    cuts = json.dumps([{**CUT, "cause": "burst"}])
    beat(client, "strange", mood="fine", cuts=cuts, loads='{"stable": {"waiting": 1, "tokens": {"a": 1}}}')
    record_edges(client, now=NOW)
    assert edge().cuts == [CUT]
    assert edge().loads == {"stable": {"waiting": 1.0, "running": None, "cache_used": None}}
    assert codes() == [("candidate-cut", "strange")]


def test_what_an_earlier_release_leaves_out_has_a_default(client: redis.Redis) -> None:
    client.sadd(redis_keys.EDGES, "strange")
    client.hset(redis_keys.edge("strange"), "name", "strange")
    record_edges(client, now=NOW)
    found = edge()
    assert (found.zone, found.applied_version, found.seen_at, found.healthy) == ("", 0, NOW, True)
    assert (found.cuts, found.loads, codes()) == ([], {}, [])


def test_a_cut_without_counts_is_told_too(client: redis.Redis) -> None:
    beat(client, "strange", cuts='[{"experiment": "canary", "variant": "better"}]')
    record_edges(client, now=NOW)
    [alert] = alerts(NOW)
    assert (alert.code, alert.since) == ("candidate-cut", edge().seen_at)


UNREADABLE = [
    ("applied_version", "seven"),
    ("applied_version", "-1"),
    ("applied_version", str(2**70)),
    ("applied_at", "yesterday"),
    ("seen_at", "noon"),
    ("healthy", "perhaps"),
    ("zone", "z" * 64),
    ("labels", "l" * 501),
    ("cuts", "nonsense"),
    ("cuts", '{"canary": 1}'),
    ("cuts", '["canary"]'),
    ("cuts", json.dumps([{**CUT, "requests": "many"}])),
    ("cuts", json.dumps([{**CUT, "failures": 21}])),
    ("cuts", json.dumps([{**CUT, "requests": 10**9}])),
    ("cuts", json.dumps([{"variant": "better"}])),
    ("loads", "[]"),
    ("loads", '{"stable": "busy"}'),
    ("loads", '{"stable": {"waiting": NaN}}'),
]


@pytest.mark.database
@pytest.mark.parametrize(("field", "value"), UNREADABLE)
def test_what_cannot_be_read_is_an_alert_and_hides_nothing_else(client: redis.Redis, field: str, value: str) -> None:
    beat(client, "strange", **{"applied_version": "6", "error": "out of memory", field: value})
    beat(client)
    assert record_edges(client, now=NOW) == 2
    assert edge("sound").applied_version == 7
    found = edge()
    assert found.error == "out of memory"
    assert found.applied_version == (0 if field == "applied_version" else 6)
    assert codes() == [("edge-unreadable", "strange"), ("edge-refuses", "strange")]
    [unreadable, _] = alerts(NOW)
    assert unreadable.detail.startswith(f"Edge strange reports what this release cannot read: {field}")


def test_one_cut_that_cannot_be_read_leaves_the_others(client: redis.Redis) -> None:
    beat(client, "strange", cuts=json.dumps([{**CUT, "requests": "many"}, CUT]))
    record_edges(client, now=NOW)
    assert edge().cuts == [CUT]
    assert "cuts.0.requests" in edge().unread


def test_an_alert_ends_once_the_edge_can_be_read(client: redis.Redis) -> None:
    beat(client, "strange", applied_version="seven")
    record_edges(client, now=NOW)
    beat(client, "strange")
    record_edges(client, now=NOW)
    assert codes() == []


@pytest.mark.database
@pytest.mark.parametrize("name", ["n" * 80, "a/b c", b"\xff\xfe", "zero\0"])
def test_an_edge_of_any_name_stops_no_other(client: redis.Redis, name: str | bytes) -> None:
    beat(client, name)
    beat(client)
    assert record_edges(client, now=NOW) == 2
    assert Edge.objects.count() == 2


def test_a_key_that_is_no_hash_is_an_alert(client: redis.Redis) -> None:
    client.sadd(redis_keys.EDGES, "strange")
    client.set(redis_keys.edge("strange"), "hello")
    beat(client)
    record_edges(client, now=NOW)
    assert ("edge-unreadable", "strange") in codes()
    assert edge("sound").applied_version == 7


@pytest.mark.database
@given(
    st.dictionaries(
        st.sampled_from([*(field for field in BEAT if field != "name"), "mood"]),
        st.binary(max_size=20) | st.sampled_from([b"null", b"[null]", b'{"a": null}', b'{"a": {"waiting": 1e999}}']),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_edge_sends_the_others_are_heard(client: redis.Redis, fields: dict[str, bytes]) -> None:
    Edge.objects.all().delete()
    client.flushall()
    beat(client, "strange", **fields)
    beat(client)
    record_edges(client, now=NOW)
    assert edge("sound").applied_version == 7
    assert edge().name == "strange"
    alerts(NOW)
    cuts_of("canary")


def test_an_edge_whose_clock_is_ahead_is_not_seen_in_the_future(client: redis.Redis) -> None:
    """Else it would count as alive for as long as its clock is ahead, also once it is dead."""
    beat(client, seen_at="2026-11-26T13:00:00+00:00")
    record_edges(client, now=NOW)
    assert edge("sound").seen_at == NOW


@pytest.mark.database
def test_who_neither_reports_nor_is_kept_is_forgotten_once_its_rows_are_collected(client: redis.Redis) -> None:
    beat(client)
    record_edges(client, now=NOW)
    client.delete(redis_keys.edge("sound"))
    record_edges(client, now=NOW)
    assert client.smembers(redis_keys.EDGES) == {"sound"}, "it is silent, and kept"
    client.sadd(redis_keys.EDGES, "gone", "behind")
    client.xadd(redis_keys.requests("behind"), {"rows": "[]"})
    record_edges(client, now=NOW)
    assert client.smembers(redis_keys.EDGES) == {"sound", "behind"}
