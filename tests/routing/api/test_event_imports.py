"""Imports over the API: a file in parts, its progress, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from controlplane.problems.request_limits import LARGEST_BODY
from routing.importing.run import Place
from routing.importing.waiting import run_waiting
from tests.connections import environment
from tests.routing.importing.files import UNIT_KEY, csv_of, row
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path) -> Iterator[None]:
    with environment(data_directory=str(tmp_path)):
        yield


def put(caller: Caller, key: str, offset: object, part: bytes, kind: str = "application/octet-stream") -> Any:
    return caller.client.generic("PUT", f"/api/v1/event-imports/{key}/content?offset={offset}", part, kind)


def test_a_sender_imports_a_file_and_follows_it(sender: Caller, redis_server: Redis, own_lake: str) -> None:
    file = csv_of([row(1), row(2, value="x"), row(3)])
    begun = sender.send("POST", "event-imports", {"name": "labels.csv", "size": len(file)})
    assert (begun.status_code, begun.json()["state"]) == (201, "receiving")
    key = begun.json()["key"]
    assert put(sender, key, 0, file[:30]).json()["received"] == 30
    refused = put(sender, key, 0, file[:30])
    assert (refused.status_code, refused.json()["code"]) == (409, "part-elsewhere")
    for kind in ("", "application/x-www-form-urlencoded", "text/csv"):
        reached = sender.get(f"event-imports/{key}").json()["received"]
        assert put(sender, key, reached, file[reached : reached + 5], kind).json()["received"] == reached + 5
    assert put(sender, key, 45, file[45:]).json()["state"] == "waiting"

    run_waiting(Place(redis_server, own_lake, UNIT_KEY))

    done = sender.get(f"event-imports/{key}").json()
    assert (done["state"], done["rows"], done["reached"]) == ("done", 3, 3)
    assert (done["accepted"], done["duplicates"], done["refused"]) == (2, 0, 1)
    assert done["problems"] == [{"line": 3, "field": "value", "message": "Input should be a valid number"}]


def test_all_imports_are_listed(operator: Caller) -> None:
    for name in ("a.csv", "b.jsonl"):
        operator.send("POST", "event-imports", {"name": name, "size": 10})
    assert [each["name"] for each in operator.get("event-imports").json()["results"]] == ["b.jsonl", "a.csv"]


@pytest.mark.parametrize("body", [{"name": "a.xls", "size": 1}, {"name": "a.csv", "size": 0}, {"name": "a.csv"}, {}])
def test_what_is_no_file_is_refused(operator: Caller, body: dict[str, Any]) -> None:
    assert operator.send("POST", "event-imports", body).status_code == 400


def test_a_part_has_its_place_and_its_size(operator: Caller) -> None:
    key = operator.send("POST", "event-imports", {"name": "a.csv", "size": 10_000_000}).json()["key"]
    assert put(operator, key, 0, b"x" * (LARGEST_BODY + 1)).status_code == 413
    for wrong in ("", "x", "-1"):
        assert put(operator, key, wrong, b"x").status_code == 400
    assert put(operator, "gone", 0, b"x").status_code == 404
