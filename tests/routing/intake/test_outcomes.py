"""Outcomes come in checked, once each, and without the user's id."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from controlplane.problems.errors import InvalidInput, Unavailable
from routing import redis_keys
from routing.allocation.unit_identity import unit_hash
from routing.intake.accept import Receipt, accept
from routing.intake.check import MOST_EVENTS, check_events
from routing.intake.outcomes import OutcomeEvent
from tests.servers.processes import free_port, run_valkey

KEY = b"sixteen bytes...."


def event(event_id: str = "a", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": event_id, "name": "thumbs_up", "unit": "ada"}
    return fields | changes


def parse_events(items: object) -> tuple[OutcomeEvent, ...]:
    return check_events(items).require_all()


def queued(redis: Redis) -> list[dict[str, Any]]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(redis_keys.OUTCOMES))
    return [row for _, fields in entries for row in json.loads(fields[b"rows"])]


def test_an_event_becomes_a_row(redis: Redis) -> None:
    time = "2026-01-05T10:00:00+02:00"
    before = datetime.now(UTC)
    events = parse_events([event(request_id="r", value=2, time=time, properties={"page": ["é", None]})])
    assert accept(redis, events, KEY) == Receipt(1, 0)
    [row] = queued(redis)
    assert before <= datetime.fromisoformat(row.pop("received_at")) <= datetime.now(UTC)
    assert json.loads(row.pop("properties")) == {"page": ["é", None]}
    hashed = unit_hash(KEY, "ada")
    assert row == {"id": "a", "time": time, "name": "thumbs_up", "value": 2.0, "unit": hashed, "request_id": "r"}


def test_what_is_left_out_has_its_default(redis: Redis) -> None:
    before = datetime.now(UTC)
    accept(redis, parse_events([{"id": "a", "name": "click", "request_id": "r"}]), KEY)
    [row] = queued(redis)
    assert (row["value"], row["unit"], row["properties"]) == (1.0, None, "{}")
    assert before <= datetime.fromisoformat(row["time"]) <= datetime.now(UTC)


def test_the_unit_itself_is_nowhere_in_redis(redis: Redis) -> None:
    accept(redis, parse_events([event(unit="ada@example.com")]), KEY)
    names = list(redis.scan_iter())
    assert len(names) == 3
    assert "ada" not in str(names) + str(redis.xrange(redis_keys.OUTCOMES))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(calls=st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), max_size=5))
def test_each_id_is_taken_once(redis: Redis, calls: list[list[str]]) -> None:
    redis.flushall()
    seen: set[str] = set()
    for ids in calls:
        new = set(ids) - seen
        assert accept(redis, parse_events(list(map(event, ids))), KEY) == Receipt(len(new), len(ids) - len(new))
        seen |= new
    assert sorted(row["id"] for row in queued(redis)) == sorted(seen)


def test_of_an_id_sent_twice_at_once_one_is_taken(redis: Redis) -> None:
    events = parse_events([event(str(number)) for number in range(200)])
    with ThreadPoolExecutor(4) as threads:
        receipts = list(threads.map(lambda _: accept(redis, events, KEY), range(8)))
    assert sum(receipt.accepted for receipt in receipts) == 200
    assert len(queued(redis)) == 200


def test_an_id_is_remembered_for_seven_days(redis: Redis) -> None:
    accept(redis, parse_events([event()]), KEY)
    [mark] = redis.scan_iter("*:id:*")
    assert timedelta(days=6, hours=23) < timedelta(seconds=redis.ttl(mark)) <= timedelta(days=7)
    redis.delete(mark)
    assert accept(redis, parse_events([event()]), KEY) == Receipt(1, 0)


def test_nothing_is_queued_for_no_events(redis: Redis) -> None:
    assert accept(redis, [], KEY) == Receipt(0, 0)
    assert redis.dbsize() == 0


def test_ten_thousand_are_taken_in_one_call_and_no_more(redis: Redis) -> None:
    many = [event(str(number)) for number in range(MOST_EVENTS + 1)]
    assert accept(redis, parse_events(many[:-1]), KEY) == Receipt(10_000, 0)
    assert len(queued(redis)) == 10_000
    with pytest.raises(InvalidInput) as raised:
        parse_events(many)
    assert raised.value.code == "too-many-events"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "events.0.id"),
        ({"id": 7}, "events.0.id"),
        ({"name": "thumbs up"}, "events.0.name"),
        ({"name": "x" * 101}, "events.0.name"),
        ({"value": "1"}, "events.0.value"),
        ({"value": True}, "events.0.value"),
        ({"value": float("nan")}, "events.0.value"),
        ({"value": 1e13}, "events.0.value"),
        ({"unit": ""}, "events.0.unit"),
        ({"unit": "\ud800"}, "events.0.unit"),
        ({"unit": None}, "events.0"),
        ({"time": "2026-01-05T10:00:00"}, "events.0.time"),
        ({"time": 1767225600}, "events.0.time"),
        ({"time": "1999-12-31T00:00:00Z"}, "events.0.time"),
        ({"time": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, "events.0.time"),
        ({"properties": []}, "events.0.properties"),
        ({"properties": {"text": "x" * 9000}}, "events.0"),
        ({"colour": "blue"}, "events.0.colour"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_events([event(**changes) if "id" not in changes else event() | changes, event("b")])
    assert raised.value.code == "events-invalid"
    assert [problem.field for problem in raised.value.problems] == [field]


def test_every_wrong_event_is_named() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_events([event(value="x"), event(), event(name=""), "event"])
    fields = [problem.field for problem in raised.value.problems]
    assert fields == ["events.0.value", "events.2.name", "events.3"]


def test_a_wrong_event_says_nothing_of_the_others() -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    wrong = [
        event(value=float("inf")),
        event("a\x00"),
        event(properties={"a": float("nan"), "b": 2**64}),
        event(properties={"a": deep}),
    ]
    items = [each for number, bad in enumerate(wrong) for each in (event(str(number)), bad)]
    checked = check_events(items)
    assert [good.id for good in checked.events] == ["0", "1", "2", "3"]
    assert [refused.index for refused in checked.refused] == [1, 3, 5, 7]
    fields = [[problem.field for problem in refused.problems] for refused in checked.refused]
    assert fields == [
        ["events.1.value"],
        ["events.3.id"],
        ["events.5.properties.a", "events.5.properties.b"],
        ["events.7"],
    ]


@pytest.mark.parametrize("items", [None, {}, "events", 5])
def test_events_must_be_a_list(items: object) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_events(items)
    assert [problem.field for problem in raised.value.problems] == ["events"]


def test_what_was_accepted_outlives_the_server(tmp_path: Path) -> None:
    """Each receipt is followed by the death of the server, which is given no time for anything."""
    sent = 0
    for _ in range(3):
        with run_valkey(tmp_path) as server, Redis.from_url(server.url) as client:
            assert len(queued(client)) == sent
            batch = parse_events([event(str(sent + number)) for number in range(1000)])
            assert accept(client, batch, KEY) == Receipt(1000, 0)
            server.process.kill()
            server.process.wait()
        sent += 1000


def test_without_redis_the_sender_is_asked_to_try_again() -> None:
    with Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as away, pytest.raises(Unavailable) as raised:
        accept(away, parse_events([event()]), KEY)
    assert raised.value.code == "events-unavailable"
