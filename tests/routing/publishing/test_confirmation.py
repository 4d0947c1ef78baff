"""Who has confirmed the table that edges are told is known by what edges report, and waited for."""

import time
from datetime import UTC, datetime

import pytest
import redis
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.models import Experiment
from routing import redis_keys
from routing.models import Edge
from routing.publishing.confirmation import Confirmation, ServingEdge, await_edges, read_confirmation
from routing.publishing.publish import publish
from routing.publishing.unconfirmed_changes import unconfirmed_changes
from tests.connections import NOWHERE, environment
from tests.factories.drafts import draft, endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(redis_server: redis.Redis) -> int:
    endpoint()
    return publish("test").version


def report(client: redis.Redis, name: str | bytes, version: object) -> None:
    client.sadd(redis_keys.EDGES, name)
    key = redis_keys.edge("").encode() + (name if isinstance(name, bytes) else name.encode())
    client.hset(key, "applied_version", str(version))


def record(name: str, version: int) -> None:
    Edge.objects.create(name=name, seen_at=datetime.now(UTC), applied_version=version)


def test_what_edges_report_counts_before_what_is_recorded(redis_server: redis.Redis, version: int) -> None:
    report(redis_server, "here", version)
    report(redis_server, "newer", version + 1)
    report(redis_server, "late", version - 1)
    record("here", version - 1)
    record("gone", version - 1)
    redis_server.sadd(redis_keys.EDGES, "forgotten")

    found = read_confirmation()

    assert found.version == version
    assert found.confirmed == ["here", "newer"]
    before = version - 1
    assert found.missing == [ServingEdge("gone", before, silent=True), ServingEdge("late", before, silent=False)]
    assert found.sentence == (
        "Not confirmed yet by gone and late: users there may go on as before. Confirmed by here and newer."
    )


@pytest.mark.parametrize("told", ["", "seven", "-1", "9" * 40])
def test_who_does_not_say_what_it_serves_has_confirmed_nothing(
    redis_server: redis.Redis, version: int, told: str
) -> None:
    report(redis_server, b"\xff", told)
    assert read_confirmation().unconfirmed == ["\N{REPLACEMENT CHARACTER}"]


def test_nor_has_one_whose_heartbeat_is_none(redis_server: redis.Redis, version: int) -> None:
    redis_server.sadd(redis_keys.EDGES, "odd")
    redis_server.set(redis_keys.edge("odd"), "text")

    assert read_confirmation().missing == [ServingEdge("odd", 0, silent=False)]


def test_where_no_edge_is_known_nothing_is_said(version: int) -> None:
    assert (await_edges().sentence, read_confirmation().unconfirmed) == ("", [])


def test_an_edge_that_reports_is_waited_for_and_not_for_long(redis_server: redis.Redis, version: int) -> None:
    report(redis_server, "late", version - 1)
    began = time.monotonic()

    assert await_edges(0.2).unconfirmed == ["late"]
    assert time.monotonic() - began >= 0.2


def test_a_silent_one_is_not(version: int) -> None:
    record("gone", version - 1)
    assert await_edges(3_600).unconfirmed == ["gone"]


def test_without_redis_what_is_recorded_counts(redis_server: redis.Redis, version: int) -> None:
    record("local", version)
    record("late", version - 1)
    with environment(redis_url=NOWHERE):
        found = await_edges(3_600)

    assert found == Confirmation(
        version, (ServingEdge("late", version - 1, silent=True), ServingEdge("local", version, silent=True))
    )


def test_a_brake_that_could_not_be_recorded_asks_the_database_nothing(
    redis_server: redis.Redis, version: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    report(redis_server, "late", version - 1)
    record("gone", 0)
    with django_assert_num_queries(0):
        assert await_edges(0, recorded=False).unconfirmed == ["late"]


@pytest.fixture
def halted(redis_server: redis.Redis) -> Experiment:
    """A canary that was published, and halted since."""
    experiment = draft()
    start(experiment, actor=SLUICE)
    publish("started")
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    return experiment


def test_a_page_tells_of_edges_that_serve_the_experiment_as_it_was(
    redis_server: redis.Redis, halted: Experiment
) -> None:
    version = read_confirmation().version
    report(redis_server, "late", version - 1)
    report(redis_server, "here", version)
    record("gone", version - 1)

    problems = unconfirmed_changes("canary")

    assert [problem.code for problem in problems] == ["edge-unconfirmed"] * 2
    assert problems[0].detail == (
        f"Edge gone has not confirmed routing table {version}: it last said that it serves table {version - 1}, and is "
        "not heard from any more. Its users may still get what they had before."
    )
    assert problems[1].detail.startswith(f"Edge late has not confirmed routing table {version}: it last said that it")
    assert unconfirmed_changes("another") == []


def test_a_later_table_that_changes_nothing_of_it_is_no_matter(redis_server: redis.Redis, halted: Experiment) -> None:
    report(redis_server, "late", read_confirmation().version)
    endpoint("search")
    assert publish("another endpoint").version > 0

    assert read_confirmation().unconfirmed == ["late"]
    assert unconfirmed_changes("canary") == []


def test_a_table_that_nobody_knows_may_hold_anything(redis_server: redis.Redis, halted: Experiment) -> None:
    report(redis_server, "fresh", 0)

    [problem] = unconfirmed_changes("canary")
    assert "it does not say what it serves" in problem.detail
