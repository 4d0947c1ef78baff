"""How the lake is can be asked for."""

from datetime import UTC, datetime, timedelta

import pytest
import redis

from routing.lake.care import tell_care
from routing.lake.schema import OUTCOMES
from routing.lake.tidying import TableState
from tests.visitors.callers import Caller

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_each_table_is_told_once_it_was_put_in_order(viewer: Caller, redis_server: redis.Redis) -> None:
    assert viewer.get("lake").json() == []
    tell_care(redis_server, OUTCOMES, TableState(7, 2, 30, 4000, 12, 9000), AT, timedelta(seconds=0.5))
    [told] = viewer.get("lake").json()
    assert told == {
        "table": "outcomes",
        "at": "2026-01-05T08:00:00Z",
        "seconds": 0.5,
        "version": 7,
        "rows": 30,
        "files": 2,
        "bytes": 4000,
        "files_on_disk": 12,
        "bytes_on_disk": 9000,
    }


@pytest.mark.django_db
def test_without_redis_nobody_knows(viewer: Caller) -> None:
    answer = viewer.get("lake")
    assert answer.status_code == 503
    assert answer.json()["code"] == "lake-state-unavailable"
