"""Batches of outcomes over the API: up to 10 000, as gzip too, the good ones of a mixed one where that is asked for."""

import gzip
import json
from typing import Any, cast

import pytest
from redis import Redis

from controlplane.problems.request_limits import LARGEST_BATCH, LARGEST_BODY
from routing import redis_keys
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def events(count: int, **changes: Any) -> dict[str, Any]:
    return {"events": [{"id": str(number), "name": "click", "unit": "ada"} | changes for number in range(count)]}


def post(caller: Caller, body: object, query: str = "", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return caller.client.generic("POST", f"/api/v1/events{query}", content, "application/json", headers=headers)


def zipped(caller: Caller, content: bytes, coding: str = "gzip") -> Any:
    return post(caller, content, **{"content-encoding": coding})


def queued(redis: Redis) -> list[str]:
    entries = cast("list[tuple[str, dict[str, str]]]", redis.xrange(redis_keys.OUTCOMES))
    return [row["id"] for _, fields in entries for row in json.loads(fields["rows"])]


def test_ten_thousand_are_taken_at_once(operator: Caller, redis_server: Redis) -> None:
    answer = post(operator, events(10_000))
    assert (answer.status_code, answer.json()) == (
        202,
        {"accepted": 10_000, "duplicates": 0, "erased": 0, "refused": []},
    )
    assert queued(redis_server) == [str(number) for number in range(10_000)]
    assert post(operator, events(10_000)).json()["duplicates"] == 10_000


def test_one_more_is_too_many(operator: Caller, redis_server: Redis) -> None:
    answer = post(operator, events(10_001))
    assert (answer.status_code, answer.json()["code"]) == (400, "too-many-events")
    assert queued(redis_server) == []


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_batch_may_come_as_gzip(operator: Caller, redis_server: Redis, coding: str) -> None:
    content = json.dumps(events(3)).encode()
    members = gzip.compress(content[:10]) + gzip.compress(content[10:])
    assert zipped(operator, members, coding).json()["accepted"] == 3
    assert queued(redis_server) == ["0", "1", "2"]


def test_gzip_may_hold_more_than_a_plain_body(operator: Caller) -> None:
    content = json.dumps(events(10_000, properties={"page": "x" * 800})).encode()
    assert LARGEST_BODY < len(content) < LARGEST_BATCH
    assert post(operator, content).status_code == 413
    assert zipped(operator, gzip.compress(content)).json()["accepted"] == 10_000


def test_a_bomb_is_refused(operator: Caller, redis_server: Redis) -> None:
    # 2 GiB of blanks in 2 MiB.
    bomb = gzip.compress(b" " * (64 << 20)) * 32
    assert len(bomb) < LARGEST_BODY
    answer = zipped(operator, bomb)
    assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
    assert str(LARGEST_BATCH) in answer.json()["detail"]
    assert queued(redis_server) == []


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b'{"events": []}')[:-4], b"\x1f\x8b"])
def test_what_is_no_gzip_is_said_so(operator: Caller, content: bytes) -> None:
    answer = zipped(operator, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable-body")


def test_damaged_gzip_is_said_so(operator: Caller) -> None:
    content = bytearray(gzip.compress(json.dumps(events(100)).encode()))
    content[len(content) // 2] ^= 0xFF
    assert zipped(operator, bytes(content)).json()["code"] == "unreadable-body"


def test_another_coding_is_not_read(operator: Caller) -> None:
    answer = zipped(operator, b"{}", "br")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-content-encoding")


def mixed() -> dict[str, Any]:
    batch = events(4)
    batch["events"][1]["value"] = "many"
    batch["events"][3] |= {"name": "", "colour": "blue"}
    return batch


def test_all_are_taken_or_none(operator: Caller, redis_server: Redis) -> None:
    for query in ("", "?partial=false"):
        answer = post(operator, mixed(), query)
        assert (answer.status_code, answer.json()["code"]) == (400, "events-invalid")
        fields = [problem["field"] for problem in answer.json()["problems"]]
        assert fields == ["events.1.value", "events.3.name", "events.3.colour"]
    assert queued(redis_server) == []


def test_the_good_are_taken_and_the_bad_named_when_asked_so(operator: Caller, redis_server: Redis) -> None:
    answer = post(operator, mixed(), "?partial=true")
    assert answer.status_code == 202
    content = answer.json()
    assert (content["accepted"], content["duplicates"]) == (2, 0)
    named = [(each["index"], [problem["field"] for problem in each["problems"]]) for each in content["refused"]]
    assert named == [(1, ["events.1.value"]), (3, ["events.3.name", "events.3.colour"])]
    assert queued(redis_server) == ["0", "2"]


def test_what_no_text_can_hold_is_refused_alone(operator: Caller, redis_server: Redis) -> None:
    content = rb'{"events": [{"id": "a", "name": "n", "unit": "\ud800"}, {"id": "b", "name": "n", "unit": "u"}]}'
    assert [each["index"] for each in post(operator, content, "?partial=true").json()["refused"]] == [0]
    assert queued(redis_server) == ["b"]


def test_partial_is_true_or_false(operator: Caller) -> None:
    assert post(operator, events(1), "?partial=yes").status_code == 400


def test_of_an_event_with_many_problems_a_few_are_named(operator: Caller) -> None:
    batch = events(1)
    batch["events"][0] |= {f"extra-{number}": number for number in range(500)}
    [refused] = post(operator, batch, "?partial=true").json()["refused"]
    assert len(refused["problems"]) == 5
