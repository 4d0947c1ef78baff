"""Files of outcomes: the same checks as of batches, each row once however often its file comes, bad ones named."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from redis import Redis

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from controlplane.problems.errors import Conflict, InvalidInput, Unavailable
from routing.allocation.unit_identity import unit_hash
from routing.erasure.ask_erasure import ask_erasure
from routing.importing.files import LARGEST_FILE, file_of
from routing.importing.receive import MOST_OPEN, receive_part, register_import
from routing.importing.run import Place, run_import
from routing.importing.waiting import run_waiting
from routing.lake.schema import OUTCOMES
from routing.models import EventImport
from routing.redis_keys import import_progress
from tests.connections import environment
from tests.factories.rows import outcome_row, store
from tests.routing.importing.files import UNIT_KEY, begun, counted, csv_of, imported, jsonl_of, parquet_of, queued, row

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

State = EventImport.State
KINDS = ("labels.csv", "labels.jsonl", "labels.ndjson", "labels.parquet")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path) -> Iterator[None]:
    with environment(data_directory=str(tmp_path)):
        yield


def content(name: str, rows: list[dict[str, Any]], folder: Path) -> bytes:
    writers: dict[str, Callable[[], bytes]] = {
        ".csv": lambda: csv_of(rows),
        ".parquet": lambda: parquet_of(rows, folder / "written"),
    }
    return writers.get(Path(name).suffix, lambda: jsonl_of(rows))()


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_each_kind_is_taken(name: str, redis_server: Redis, own_lake: str, tmp_path: Path) -> None:
    rows = [row(number) for number in range(12_000)]
    found = imported(name, content(name, rows, tmp_path), redis_server, own_lake)
    assert (found.state, found.rows, found.reached, counted(found)) == ("done", 12_000, 12_000, (12_000, 0, 0))
    assert [(each["request_id"], each["value"]) for each in queued(redis_server)] == [
        (each["request_id"], each["value"]) for each in rows
    ]
    assert not file_of(found).exists()


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_a_file_that_comes_again_counts_once_in_whatever_form(
    first: str, second: str, redis_server: Redis, own_lake: str, tmp_path: Path
) -> None:
    rows = [row(number) for number in range(100)]
    imported(first, content(first, rows, tmp_path), redis_server, own_lake)
    more = [*rows, row(100)][::-1]
    again = imported(second, content(second, more, tmp_path), redis_server, own_lake)
    assert counted(again) == (1, 100, 0)
    assert len(queued(redis_server)) == 101


def test_equal_rows_of_one_file_are_as_many_events(redis_server: Redis, own_lake: str) -> None:
    file = csv_of([row(1), row(2), row(1), row(1)])
    assert counted(imported("a.csv", file, redis_server, own_lake)) == (4, 0, 0)
    assert counted(imported("b.csv", file, redis_server, own_lake)) == (0, 4, 0)
    assert len({each["id"] for each in queued(redis_server)}) == 4


def test_a_row_is_the_same_however_its_time_and_unit_are_written(redis_server: Redis, own_lake: str) -> None:
    plain = {"name": "label", "unit": "ada", "time": "2026-01-05T10:00:00Z", "properties": {"a": 1, "b": 2}}
    other = {"unit": " ada ", "time": "2026-01-05T12:00:00+02:00", "properties": {"b": 2, "a": 1}, "value": 1}
    imported("a.jsonl", jsonl_of([plain]), redis_server, own_lake)
    assert counted(imported("b.jsonl", jsonl_of([plain | other]), redis_server, own_lake)) == (0, 1, 0)


def test_ids_of_the_rows_count_where_there_are_any(redis_server: Redis, own_lake: str) -> None:
    file = csv_of([row(1, id="a"), row(1, id="b"), row(2, id="a")])
    assert counted(imported("a.csv", file, redis_server, own_lake)) == (2, 1, 0)
    assert [each["id"] for each in queued(redis_server)] == ["a", "b"]


def test_what_the_lake_has_is_known_after_redis_forgot_it(redis_server: Redis, own_lake: str) -> None:
    file = csv_of([row(1), row(1), row(2, id="")])
    imported("a.csv", file, redis_server, own_lake)
    long_ago = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    store(own_lake, OUTCOMES, [outcome_row(each["id"], received_at=long_ago) for each in queued(redis_server)])
    redis_server.flushall()
    assert counted(imported("b.csv", csv_of([row(1), row(1), row(1), row(2)]), redis_server, own_lake)) == (1, 3, 0)


def test_bad_rows_are_named_by_line_and_reason(redis_server: Redis, own_lake: str) -> None:
    bad = b"name,value,request_id,time\nlabel,many,r,%b\nlabel,1\nlabel,1,r,\n"
    bad += b'label,1,"a\nb",%b\nlabel,1,\xff,%b\n\n,1,r,%b\n'
    time = b"2026-01-05T10:00:00Z"
    found = imported("bad.csv", bad % ((time,) * 4) + b"label,1,ok," + time, redis_server, own_lake)
    assert (found.state, counted(found)) == ("done", (2, 0, 5))
    assert [(each["line"], each["field"]) for each in found.problems] == [
        (2, "value"),
        (3, "row"),
        (4, "time"),
        (7, "request_id"),
        (9, "name"),
    ]
    assert [each["request_id"] for each in queued(redis_server)] == ["a\nb", "ok"]


def test_lines_that_are_no_event_are_named(redis_server: Redis, own_lake: str) -> None:
    file = b"\n".join([jsonl_of([row(1)]).strip(), b"{", b"5", b"", jsonl_of([row(2, colour="blue")])])
    found = imported("bad.jsonl", file, redis_server, own_lake)
    assert counted(found) == (1, 0, 3)
    assert [(each["line"], each["field"]) for each in found.problems] == [(2, "row"), (3, "event"), (5, "colour")]


def test_of_many_bad_rows_a_thousand_are_named_and_all_counted(redis_server: Redis, own_lake: str) -> None:
    found = imported("bad.csv", csv_of([row(each, value="x") for each in range(6000)]), redis_server, own_lake)
    assert (counted(found), len(found.problems)) == ((0, 0, 6000), 1000)


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("a.csv", b"name,colour\nx,blue\n", "colour"),
        ("a.csv", b"unit,time\nx,y\n", "must have name"),
        ("a.csv", b"name,name\nx,y\n", "must have name"),
        ("a.csv", b'name,unit\n"x" y,z\n', "Line 2"),
        ("a.csv", b"name,unit\nx,y\nx," + b"y" * 70_000, "Line 3"),
        ("a.jsonl", b"x" * 70_000, "Line 1"),
        ("a.parquet", b"no parquet", "Parquet"),
    ],
)
def test_of_a_file_that_cannot_be_read_nothing_is_taken(
    name: str, file: bytes, words: str, redis_server: Redis, own_lake: str
) -> None:
    found = imported(name, file, redis_server, own_lake)
    assert found.state == State.FAILED
    assert words in found.failure
    assert queued(redis_server) == []
    assert not file_of(found).exists()


def test_parquet_has_types_of_its_own(redis_server: Redis, own_lake: str, tmp_path: Path) -> None:
    moment = datetime(2026, 1, 5, 10, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([7, 8], pa.int32()),
            "name": pa.array(["label", "label"]).dictionary_encode(),
            "value": pa.array([True, None]).cast(pa.int8()),
            "unit": pa.array([12, 13], pa.uint64()),
            "time": pa.array([moment, moment], pa.timestamp("ms", "Europe/Berlin")),
            "properties": [{"page": "chat"}, None],
        }
    )
    pq.write_table(table, tmp_path / "typed")
    found = imported("a.parquet", (tmp_path / "typed").read_bytes(), redis_server, own_lake)
    assert (counted(found), found.problems) == ((2, 0, 0), [])
    first, second = queued(redis_server)
    assert (first["id"], first["value"], second["value"]) == ("7", 1.0, 1.0)
    assert datetime.fromisoformat(first["time"]) == moment
    assert (json.loads(first["properties"]), second["properties"]) == ({"page": "chat"}, "{}")


def test_a_file_arrives_in_parts_each_after_the_one_before(redis_server: Redis, own_lake: str) -> None:
    file = csv_of([row(number) for number in range(50)])
    found = register_import("a.csv", len(file), actor=SLUICE)
    receive_part(found, 0, file[:100], actor=SLUICE)
    for wrong in (0, 99, 101):
        with pytest.raises(Conflict) as raised:
            receive_part(found, wrong, file[100:110], actor=SLUICE)
        assert "100 of its" in raised.value.detail
    with pytest.raises(InvalidInput):
        receive_part(found, 100, file[100:] + b"x", actor=SLUICE)
    assert receive_part(found, 100, file[100:], actor=SLUICE).state == State.WAITING
    with pytest.raises(Conflict):
        receive_part(found, len(file), b"", actor=SLUICE)
    run_waiting(Place(redis_server, own_lake, UNIT_KEY))
    found.refresh_from_db()
    assert counted(found) == (50, 0, 0)


@pytest.mark.parametrize(("name", "size"), [("a.xlsx", 1), ("a", 1), ("a.csv", 0), ("a.csv", LARGEST_FILE + 1)])
def test_what_is_too_large_or_of_no_kind_is_refused(name: str, size: int) -> None:
    with pytest.raises(InvalidInput):
        register_import(name, size, actor=SLUICE)


def test_so_many_are_open_at_once() -> None:
    for _ in range(MOST_OPEN):
        register_import("a.csv", 1, actor=SLUICE)
    with pytest.raises(Conflict):
        register_import("a.csv", 1, actor=SLUICE)


def test_a_chunk_that_the_database_did_not_hear_of_is_taken_once(redis_server: Redis, own_lake: str) -> None:
    found = begun("a.csv", csv_of([*(row(number) for number in range(6_000)), row(1, value="x")]))
    kept = file_of(found).read_bytes()
    place = Place(redis_server, own_lake, UNIT_KEY)
    run_import(found, place)
    # As if the process had died between the two: Redis has it all, the database nothing, and Redis forgot the ids.
    for reached in (0, 5_000):
        EventImport.objects.update(state=State.RUNNING, reached=reached, accepted=reached, refused=0, problems=[])
        redis_server.hset(import_progress(found.key), "rows", 6_001 if reached else 5_000)
        redis_server.delete(*redis_server.scan_iter("*:id:*"))
        file_of(found).write_bytes(kept)
        before = len(queued(redis_server))
        run_import(found, place)
        found.refresh_from_db()
        assert len(queued(redis_server)) - before == (1_000 if reached == 0 else 0)
        assert [each["line"] for each in found.problems] == [6_002]


def test_an_import_goes_on_with_a_redis_that_lost_everything(redis_server: Redis, own_lake: str) -> None:
    found = begun("a.csv", csv_of([row(number) for number in range(7_000)]))
    EventImport.objects.update(state=State.RUNNING, reached=5_000, accepted=5_000)
    run_import(found, Place(redis_server, own_lake, UNIT_KEY))
    found.refresh_from_db()
    assert (found.state, counted(found), len(queued(redis_server))) == ("done", (7_000, 0, 0), 2_000)


def test_without_redis_an_import_waits(redis_server: Redis, own_lake: str) -> None:
    found = begun("a.csv", csv_of([row(1)]))
    with Redis(port=1) as away, pytest.raises(Unavailable):
        run_import(found, Place(away, own_lake, UNIT_KEY))
    run_import(found, Place(redis_server, own_lake, UNIT_KEY))
    found.refresh_from_db()
    assert counted(found) == (1, 0, 0)


def test_one_process_runs_an_import_at_a_time(redis_server: Redis, own_lake: str) -> None:
    found = begun("a.csv", csv_of([row(1)]))
    with redis_server.lock(f"sluice:import:{found.key}", timeout=60):
        assert run_import(found, Place(redis_server, own_lake, UNIT_KEY)) is False
    assert queued(redis_server) == []


def test_who_imported_what_is_on_record(redis_server: Redis, own_lake: str) -> None:
    found = imported("a.csv", csv_of([row(1), row(2, value="x")]), redis_server, own_lake)
    finished, began = AuditEvent.objects.filter(object_type="event-import", object_key=found.key)
    assert (began.verb, began.actor, began.after["name"]) == ("import", "sluice", "a.csv")
    assert (finished.verb, finished.after["accepted"], finished.after["refused"]) == ("finish", 1, 1)


def test_an_old_file_brings_no_erased_user_back(redis_server: Redis, own_lake: str) -> None:
    ask_erasure(unit_hash(UNIT_KEY, "eve"), actor=SLUICE, reason="asked for")
    rows = [row(1, request_id="", unit="eve"), row(2, request_id="", unit="ada"), row(3, request_id="", unit="eve")]
    found = imported("a.csv", csv_of(rows), redis_server, own_lake)
    assert (counted(found), [each["line"] for each in found.problems]) == ((1, 0, 2), [2, 4])
