"""The page and the API of the data's health say what was told and counted, and what to do where that is not well."""

from datetime import datetime, timedelta

import pytest
import redis
from django.utils import timezone

from controlplane.models import Role
from experiments.data_health.jobs import count_what_is_missing, measure_what_is_stored
from experiments.data_health.report import table_sizes
from experiments.data_health.shares import count_shares
from experiments.models import StoredSize
from routing import redis_keys
from routing.collector.collector import Collector
from routing.lake.care import tell_care, tell_failure
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.tidying import TableState
from routing.models import Edge
from tests.experiments.views.findings import found, measured, running
from tests.factories.rows import outcome_row, request_row, send, store
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

BATCH = [request_row("a"), request_row("b")]


@pytest.fixture
def told(redis_server: redis.Redis, own_lake: str) -> redis.Redis:
    """An edge whose second batch was gone, a lake that cannot be tidied, and requests that lack a user in half."""
    now = timezone.now()
    Edge.objects.create(name="local", seen_at=now)
    raw = redis.Redis(port=redis_server.connection_pool.connection_kwargs["port"])
    raw.sadd(redis_keys.EDGES, "local")
    for end, after in (("100-10", "0-0"), ("100-30", "100-20")):
        send(raw, "local", end, BATCH, after=after)
        Collector(raw, own_lake, REQUESTS).step()
    state = TableState(version=3, files=1, rows=4, bytes=100, files_on_disk=7, bytes_on_disk=5_000)
    tell_care(raw, REQUESTS, state, now - timedelta(minutes=4), timedelta(seconds=1))
    tell_failure(raw, OUTCOMES, "No space left on device", now - timedelta(minutes=5))
    raw.close()
    return redis_server


def lacking(lake: str, now: datetime) -> None:
    """Two hundred requests of an endpoint, every other one without a user, and one outcome."""
    rows = [
        request_row(
            f"r{number}", time=now.isoformat(), unit=number if number % 2 else None, experiment=None, variant=None
        )
        for number in range(200)
    ]
    store(lake, REQUESTS, rows)
    moment = now.isoformat()
    store(lake, OUTCOMES, [outcome_row("o", request_id="r1", unit=None, time=moment, received_at=moment)])


@pytest.mark.usefixtures("told")
def test_the_api_says_all_of_it(own_lake: str) -> None:
    now = timezone.now()
    measured(running(), found())
    lacking(own_lake, now)
    count_what_is_missing()
    measure_what_is_stored()
    report = visitor(Role.VIEWER).get("/api/v1/data-health").json()
    [edge] = report["edges"]
    assert (edge["name"], edge["waiting"], edge["gaps"]["count"]) == ("local", 0, 1)
    assert edge["lag_seconds"] > 0
    [line] = report["shares"]["lines"]
    assert [line[name] for name in ("requests", "without_unit", "without_outcome")] == [200, 100, 199]
    sizes = {size["subject"]: size for size in report["sizes"]}
    assert sizes.keys() == {"analyses", "decisions", "courses", "requests"}
    assert (sizes["requests"]["files"], sizes["requests"]["bytes"]) == (7, 5_000)
    assert sizes["analyses"]["rows"] == 1
    assert sizes["analyses"]["bytes"] > 500
    codes = {problem["code"] for problem in report["problems"]}
    assert codes == {"edge-late", "rows-missing", "without-unit", "caretaker-failing"}
    assert all(problem["next_step"] for problem in report["problems"])


def test_rows_count_for_those_they_stand_for_and_only_answers_lack_tokens(own_lake: str) -> None:
    now = timezone.now()
    at = {"time": now.isoformat(), "result": "success"}
    outside = {**at, "experiment": None, "variant": None, "kept_share": 0.25}
    rows = [request_row("a", **outside), request_row("b", **outside | {"unit": None})]
    rows += [request_row("c", **at), request_row("d", **at | {"result": "failed"})]
    store(own_lake, REQUESTS, rows)

    lines = count_shares(own_lake, now).lines

    counts = [(line.variant, line.requests, line.without_unit, line.without_usage) for line in lines]
    assert counts == [("", 8, 4, 8), ("control", 2, 0, 1)]


@pytest.mark.usefixtures("told")
def test_the_page_says_so_in_words() -> None:
    seen = " ".join(text(visitor(Role.VIEWER), "/data-health").split())
    assert "Batches of edge local were gone before they were collected, once." in seen
    assert "Let nobody trim its stream" in seen
    assert "No space left on device" in seen
    assert "Counted every ten minutes; not yet." in seen


def test_growth_is_over_the_last_day() -> None:
    now = timezone.now()
    for days, size in ((2, 100), (1, 300), (0, 900)):
        StoredSize.objects.create(subject="analyses", at=now - timedelta(days=days), rows=1, bytes=size)
    assert [size.a_day for size in table_sizes()] == [600]


def test_the_page_stands_without_redis() -> None:
    assert "does not answer" in text(visitor(Role.VIEWER), "/data-health")


@pytest.mark.usefixtures("told")
def test_a_caretaker_that_fails_is_an_alert() -> None:
    alerts = visitor(Role.VIEWER).get("/api/v1/alerts").json()
    [alert] = [alert for alert in alerts if alert["code"] == "caretaker-failing"]
    assert alert["detail"] == "The table outcomes of the lake cannot be kept in order: No space left on device"
