"""What becomes of each outcome: every case that the documentation names has its answer, and is counted."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from redis import Redis

from controlplane.audit.actors import SLUICE
from controlplane.settings import get_environment
from routing import redis_keys
from routing.allocation.unit_identity import unit_hash
from routing.erasure.ask_erasure import ask_erasure
from routing.intake.belonging import Belonging, count_belonging, last_belonging, note_belonging
from routing.intake.fates import TAKEN, Fate
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.docs.test_tables import rows
from tests.factories.rows import outcome_row, request_row, store
from tests.visitors.callers import Caller

TABLE = rows("docs/outcomes.md", 3)
NOW = datetime.now(UTC)
UNIT_KEY = bytes.fromhex(get_environment().unit_key.get_secret_value())


def at(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


@dataclass(frozen=True, slots=True)
class Case:
    """A batch, and what becomes of it."""

    events: Callable[[], list[dict[str, Any]]]
    fates: dict[Fate, int]
    status: int = 202


def event(event_id: str = "a", **changes: Any) -> dict[str, Any]:
    return {"id": event_id, "name": "click", "unit": "ada"} | changes


CASES = {
    "on_time": Case(lambda: [event(), event("b", time=at(hours=23))][::-1], {Fate.ON_TIME: 2}),
    "ahead": Case(lambda: [event(time=at(minutes=-59))], {Fate.AHEAD: 1}),
    "late": Case(lambda: [event(time=at(hours=25))], {Fate.LATE: 1}),
    "out_of_order": Case(
        lambda: [event(time=at(hours=1)), event("b", time=at(hours=2))], {Fate.ON_TIME: 1, Fate.OUT_OF_ORDER: 1}
    ),
    "duplicate": Case(lambda: [event(), event(value=2)], {Fate.ON_TIME: 1, Fate.DUPLICATE: 1}),
    "erased": Case(
        lambda: [event(unit="eve", time=at(minutes=1)), event("b"), event("c", unit="eve", time=at(minutes=-1))],
        {Fate.ERASED: 1, Fate.AHEAD: 1, Fate.ON_TIME: 1},
    ),
    "refused_ahead": Case(lambda: [event(time=at(minutes=-61))], {Fate.REFUSED_AHEAD: 1}, 400),
    "refused_old": Case(lambda: [event(time="1999-12-31T23:59:59Z")], {Fate.REFUSED_OLD: 1}, 400),
    "refused": Case(lambda: [event(value="x"), event("b")], {Fate.REFUSED: 1}, 400),
}
BELONGINGS = {"in_experiment", "in_none", "unknown_request", "unknown_unit"}


def queued(redis: Redis) -> list[dict[str, Any]]:
    entries = cast("list[tuple[str, dict[str, str]]]", redis.xrange(redis_keys.OUTCOMES))
    return [row for _, fields in entries for row in json.loads(fields["rows"])]


def today(caller: Caller) -> dict[str, int]:
    counts: dict[str, int] = caller.get("events/counts?days=1").json()["days"][0]
    return {name: count for name, count in counts.items() if name != "day" and count}


def test_the_documentation_has_a_row_for_each_case() -> None:
    assert set(TABLE) == set(CASES) | BELONGINGS == {fate.value for fate in Fate} | BELONGINGS


@pytest.mark.django_db
@pytest.mark.parametrize("name", CASES)
def test_each_case_has_its_answer_and_is_counted(name: str, operator: Caller, redis_server: Redis) -> None:
    case = CASES[name]
    ask_erasure(unit_hash(UNIT_KEY, "eve"), actor=SLUICE, reason="asked for")
    answer = operator.send("POST", "events", {"events": case.events()})
    assert answer.status_code == case.status
    assert today(operator) == {fate.value: count for fate, count in case.fates.items()}
    taken = sum(count for fate, count in case.fates.items() if TABLE[fate][2].startswith("taken"))
    assert taken == sum(count for fate, count in case.fates.items() if fate in TAKEN)
    assert len(queued(redis_server)) == taken


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_server")
def test_the_answer_says_how_many_are_of_erased_users(operator: Caller) -> None:
    ask_erasure(unit_hash(UNIT_KEY, "eve"), actor=SLUICE, reason="asked for")
    events = [event(unit="eve", time=at(days=1)), event("b", unit=None, request_id="r"), event("c")]
    answer = operator.send("POST", "events", {"events": events}).json()
    assert (answer["accepted"], answer["duplicates"], answer["erased"]) == (2, 0, 1)


@pytest.mark.django_db
def test_of_a_mixed_batch_each_event_is_counted_once(operator: Caller, redis_server: Redis) -> None:
    events = [each | {"id": f"{name}-{each['id']}"} for name, case in CASES.items() for each in case.events()]
    for _ in range(2):
        assert operator.send("POST", "events?partial=true", {"events": events}).status_code == 202
    counted = today(operator)
    assert sum(counted.values()) == 2 * len(events)
    assert counted["refused_ahead"] == counted["refused_old"] == counted["refused"] == 2
    taken = [each["id"] for each in queued(redis_server)]
    assert len(taken) == len(set(taken)) == sum(counted[each] for each in ("on_time", "ahead", "late", "out_of_order"))


@pytest.mark.django_db
def test_the_first_of_two_with_one_id_is_the_one_that_counts(operator: Caller, redis_server: Redis) -> None:
    for value in (1, 2):
        operator.send("POST", "events", {"events": [event(value=value)]})
    assert [row["value"] for row in queued(redis_server)] == [1.0]
    assert today(operator) == {"on_time": 1, "duplicate": 1}


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_server")
def test_days_are_told_the_newest_first(operator: Caller) -> None:
    days = [each["day"] for each in operator.get("events/counts").json()["days"]]
    assert days == [(NOW - timedelta(days=back)).date().isoformat() for back in range(7)]
    for wrong in ("0", "41", "x"):
        assert operator.get(f"events/counts?days={wrong}").status_code == 400


@pytest.mark.django_db
def test_without_redis_no_counts_are_told(operator: Caller) -> None:
    answer = operator.get("events/counts")
    assert (answer.status_code, answer.json()["code"]) == (503, "counts-unavailable")


@pytest.mark.slow
def test_outcomes_belong_to_an_experiment_to_none_or_to_nothing_known(redis: Redis, lake_url: str) -> None:
    requests = [
        request_row("tried", unit=1, experiment="canary", time=NOW.isoformat()),
        request_row("tried-again", unit=1, experiment=None, time=NOW.isoformat()),
        request_row("plain", unit=2, experiment=None, time=NOW.isoformat()),
        request_row("old", unit=3, experiment="canary", time=(NOW - timedelta(days=9)).isoformat()),
    ]
    outcomes = [
        outcome_row("a", request_id="tried", received_at=NOW.isoformat()),
        outcome_row("b", unit=1, received_at=NOW.isoformat()),
        outcome_row("c", request_id="plain", received_at=NOW.isoformat()),
        outcome_row("d", request_id="tried-again", received_at=NOW.isoformat()),
        outcome_row("e", unit=2, received_at=NOW.isoformat()),
        outcome_row("f", request_id="gone", received_at=NOW.isoformat()),
        outcome_row("g", request_id="old", unit=1, received_at=NOW.isoformat()),
        outcome_row("h", unit=3, received_at=NOW.isoformat()),
        outcome_row("i", unit=1, received_at=(NOW - timedelta(days=2)).isoformat()),
    ]
    store(lake_url, REQUESTS, requests)
    store(lake_url, OUTCOMES, outcomes)
    found = count_belonging(lake_url, NOW)
    assert found == Belonging(NOW, in_experiment=2, in_none=3, unknown_request=2, unknown_unit=1)
    assert last_belonging(redis) is None
    note_belonging(redis, found)
    assert last_belonging(redis) == found


@pytest.mark.slow
def test_before_there_is_a_lake_nothing_belongs_to_anything(lake_url: str) -> None:
    assert count_belonging(lake_url, NOW) == Belonging(NOW, 0, 0, 0, 0)
