"""The spool reaches the stream: all of it, each line once, whatever happens to Redis or the agent."""

from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from routing import redis_keys
from routing.allocation.unit_identity import unit_hash
from routing.edge.shipping import shipper as module
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.shipping.shipper import Shipper
from routing.edge.state.spool import Spool
from tests.factories.log_lines import LINE, make_line, numbered_line
from tests.routing.edge.stored import EDGE, collect_all, stored_ids, stored_rows
from tests.servers.processes import free_port, run_valkey
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

KEY = b"k" * 32


def connect(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, retry=Retry(NoBackoff(), retries=0))


@pytest.fixture
def link(tmp_path: Path) -> Path:
    path = tmp_path / "spool" / "open.jsonl"
    Spool(path).prepare()
    return path


@pytest.fixture
def start(link: Path, redis: Redis) -> Callable[[], Shipper]:
    """Begins an agent anew, which knows nothing of the ones before."""
    return lambda: make_shipper(redis, link)


def make_shipper(redis: Redis, link: Path, collector_seconds: float = 0) -> Shipper:
    stream = RequestStream(redis, EDGE)
    return Shipper(stream, Spool(link), edge=EDGE, unit_key=KEY, collector_seconds=collector_seconds)


def write(link: Path, numbers: range) -> None:
    with link.open("ab") as file:
        file.writelines(numbered_line(number) for number in numbers)


def names(numbers: range) -> list[str]:
    return [f"request-{number}" for number in numbers]


def ship_all(shipper: Shipper) -> None:
    while shipper.step() == 0:
        pass


def test_lines_become_rows_of_the_stream(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    write(link, range(2_500))

    ship_all(start())

    assert stored_ids(redis) == names(range(2_500))
    assert redis.xlen(redis_keys.requests(EDGE)) == 3
    assert stored_rows(redis)[7]["unit"] == unit_hash(KEY, "user-7")


def test_the_id_of_a_batch_is_the_place_behind_it(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    write(link, range(3))

    ship_all(start())

    size = link.stat().st_size
    assert (
        redis.xinfo_stream(redis_keys.requests(EDGE))["last-generated-id"].decode() == f"{link.readlink().stem}-{size}"
    )


def test_a_new_agent_goes_on_where_the_last_one_was(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    write(link, range(10))
    ship_all(start())
    write(link, range(10, 30))

    ship_all(start())

    assert stored_ids(redis) == names(range(30))


def test_an_agent_that_died_before_it_knew_that_a_batch_was_stored(
    link: Path, redis: Redis, start: Callable[[], Shipper]
) -> None:
    write(link, range(1_500))
    unaware = start()
    unaware.step()
    ship_all(start())

    with pytest.raises(RedisError, match="equal or smaller"):
        unaware.step()
    ship_all(unaware)

    assert stored_ids(redis) == names(range(1_500))


def test_segments_follow_each_other(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    shipper = start()
    for first in range(0, 50, 10):
        write(link, range(first, first + 10))
        ship_all(shipper)
        Spool(link).begin_segment()

    assert stored_ids(redis) == names(range(50))


def test_broken_lines_are_left_out_counted_and_told(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    write(link, range(1))
    with link.open("ab") as file:
        file.write(b'\n{"duration_ms":3\nno json\n')
    write(link, range(1, 2))

    with structlog.testing.capture_logs() as logs:
        ship_all(start())

    assert stored_ids(redis) == names(range(2))
    assert [(entry["log_level"], entry["count"]) for entry in logs] == [("warning", 3)]


def test_broken_lines_alone_move_on_too(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    with link.open("ab") as file:
        file.write(b"no json\n")

    ship_all(start())

    assert stored_rows(redis) == []
    assert redis.xlen(redis_keys.requests(EDGE)) == 1


def test_a_line_behind_half_a_line_is_not_lost(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    with link.open("ab") as file:
        file.write(numbered_line(99)[:100])
    write(link, range(3))

    ship_all(start())

    assert stored_ids(redis) == names(range(3))


def test_raw_units_never_reach_redis(link: Path, redis: Redis, tmp_path: Path) -> None:
    secret = "Ada.Lovelace@example.org"
    with run_valkey(tmp_path / "valkey") as valkey, connect(valkey.url) as client:
        with link.open("ab") as file:
            file.write(make_line(unit=secret) + b"\n")
            file.write(make_line(unit=secret)[:-20] + b"\n")

        ship_all(make_shipper(client, link))

        assert len(stored_rows(client)) == 1
        written = b"".join(path.read_bytes() for path in (tmp_path / "valkey").rglob("*") if path.is_file())
    assert str(LINE["request_id"]).encode() in written
    assert b"Lovelace" not in written


def test_valkey_killed_and_started_again_keeps_the_place(link: Path, tmp_path: Path) -> None:
    port = free_port()
    with run_valkey(tmp_path / "valkey", port) as valkey, connect(valkey.url) as client:
        shipper = make_shipper(client, link)
        write(link, range(1_500))
        shipper.step()
        valkey.process.kill()
        valkey.process.wait()
        with pytest.raises(RedisError):
            shipper.step()
        write(link, range(1_500, 1_600))
    with run_valkey(tmp_path / "valkey", port) as valkey, connect(valkey.url) as client:
        ship_all(shipper)

        assert stored_ids(client) == names(range(1_600))


def test_when_redis_lost_everything_it_goes_on_behind_what_is_in_the_lake(link: Path, redis: Redis) -> None:
    shipper = make_shipper(redis, link, collector_seconds=3600)
    redis.hset(redis_keys.COLLECTED, redis_keys.requests(EDGE), "0-0")
    write(link, range(10))
    ship_all(shipper)
    lake = collect_all(redis)
    collected = redis.hget(redis_keys.COLLECTED, redis_keys.requests(EDGE))
    write(link, range(10, 20))
    ship_all(shipper)
    redis.flushall()
    write(link, range(20, 30))

    ship_all(restarted := make_shipper(redis, link, collector_seconds=3600))
    assert not redis.exists(redis_keys.requests(EDGE))

    redis.hset(redis_keys.COLLECTED, redis_keys.requests(EDGE), collected or b"")
    ship_all(restarted)
    assert lake + stored_ids(redis) == names(range(30))


def test_an_agent_notices_that_redis_lost_everything(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    shipper = start()
    write(link, range(10))
    ship_all(shipper)
    redis.flushall()
    write(link, range(10, 20))

    ship_all(shipper)

    assert stored_ids(redis) == names(range(20))


def test_without_any_word_it_begins_with_the_oldest_line_there_is(
    link: Path, redis: Redis, start: Callable[[], Shipper]
) -> None:
    write(link, range(10))
    ship_all(start())
    redis.flushall()

    ship_all(start())

    assert stored_ids(redis) == names(range(10))


def test_an_emptied_stream_still_knows_the_place(link: Path, redis: Redis, start: Callable[[], Shipper]) -> None:
    write(link, range(10))
    ship_all(start())
    assert collect_all(redis) == names(range(10))
    write(link, range(10, 20))

    ship_all(start())

    assert stored_ids(redis) == names(range(10, 20))


def test_what_the_collector_cannot_take_yet_waits_on_disk(
    link: Path, redis: Redis, start: Callable[[], Shipper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNCOLLECTED_BYTES", 1)
    write(link, range(3_000))
    shipper = start()

    ship_all(shipper)
    assert stored_ids(redis) == names(range(1_000))

    collected = collect_all(redis)
    ship_all(shipper)
    assert collected + stored_ids(redis) == names(range(2_000))
