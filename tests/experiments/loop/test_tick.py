"""Each job of a tick stands alone."""

from collections.abc import Callable

import pytest
import redis
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from controlplane.settings.queues import queue
from experiments.actions.start import start
from experiments.loop import jobs
from experiments.loop.jobs import tick
from experiments.models import Experiment
from routing import redis_keys
from routing.models import Edge
from routing.publishing import redis_table
from routing.publishing.publish import publish
from tests.databases import refusing_writes
from tests.factories.drafts import draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The experiments that were handed to workers; the first that is asks for trouble."""
    handed: list[int] = []

    def hand(pk: int) -> None:
        handed.append(pk)
        if len(handed) == 1:
            raise ConnectionError("the broker is away")

    monkeypatch.setattr(jobs.reconcile_experiment, "delay", hand)
    return handed


def two_running() -> set[int]:
    for key in ("one", "two"):
        start(draft(key, traffic=10), actor=SLUICE)
    Experiment.objects.update(next_tick_at=timezone.now())
    return set(Experiment.objects.values_list("pk", flat=True))


def test_without_redis_experiments_are_looked_at(due: list[int]) -> None:
    expected = two_running()
    tick()
    assert set(due) == expected


def test_while_as_many_wait_as_are_live_nobody_is_handed_over(redis_server: redis.Redis, due: list[int]) -> None:
    two_running()
    for _ in range(2):
        redis_server.rpush(queue(jobs.reconcile_experiment.name), "one that waits")
    tick()
    assert due == []


def test_an_edge_that_tells_nonsense_keeps_no_experiment_waiting(redis_server: redis.Redis, due: list[int]) -> None:
    expected = two_running()
    redis_server.sadd(redis_keys.EDGES, "broken")
    redis_server.hset(redis_keys.edge("broken"), mapping={"name": "broken", "applied_version": "many"})
    tick()
    assert set(due) == expected


def test_an_order_that_cannot_be_read_keeps_nothing_back(redis_server: redis.Redis, due: list[int]) -> None:
    expected = two_running()
    redis_server.rpush(redis_keys.ORDERS, "nonsense")
    tick()
    assert set(due) == expected
    assert redis_table.current_version(redis_server) == publish("test").version


def test_a_database_that_takes_no_writes_raises_nothing(redis_server: redis.Redis) -> None:
    two_running()
    with refusing_writes():
        tick()


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.__name__)
def test_one_that_fails_keeps_no_other_back(
    redis_server: redis.Redis, due: list[int], monkeypatch: pytest.MonkeyPatch, job: Callable[[], None]
) -> None:
    expected = two_running()
    redis_server.sadd(redis_keys.EDGES, "local")
    beat = {"name": "local", "zone": "", "applied_version": "1", "healthy": "1", "error": ""}
    beat["seen_at"] = timezone.now().isoformat()
    for name, value in beat.items():
        redis_server.hset(redis_keys.edge("local"), name, value)

    def fail() -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(jobs, "JOBS", tuple(fail if other is job else other for other in jobs.JOBS))
    tick()

    done = {"publish": redis_table.current_version(redis_server) > 0, "edges": Edge.objects.exists(), "due": set(due)}
    left_out = {"publish_what_is_wanted": "publish", "hear_from_edges": "edges", "look_at_what_is_due": "due"}
    wanted = {"publish": True, "edges": True, "due": expected}
    wanted.pop(left_out.get(job.__name__, ""), None)
    assert {name: done[name] for name in wanted} == wanted
