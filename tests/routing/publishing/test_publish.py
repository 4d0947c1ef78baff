"""What is published, when, and that nothing older ever replaces it."""

import json

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import InvalidInput
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from routing import redis_keys
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Endpoint, RoutingTable
from routing.publishing import redis_table
from routing.publishing.publish import publish
from routing.resources.edit import edit
from tests.factories.drafts import backend, draft, endpoint
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(redis_server: redis.Redis) -> redis.Redis:
    """A real Valkey that `publish` writes to."""
    return redis_server


def published(client: redis.Redis) -> tuple[int, dict[str, object]]:
    stored = client.hgetall(redis_keys.TABLE)
    return int(stored["version"]), json.loads(stored["content"])


def test_a_change_is_published_once(client: redis.Redis) -> None:
    endpoint()
    version, content = published(client)
    assert content["version"] == version
    assert publish("again").version == version
    assert RoutingTable.objects.count() == version


def test_starting_and_halting_change_the_table(
    client: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    experiment = draft()
    with django_capture_on_commit_callbacks(execute=True):
        start(experiment, actor=SLUICE)
    _, running = published(client)
    with django_capture_on_commit_callbacks(execute=True):
        halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    _, halted = published(client)
    assert [e["key"] for e in running["endpoints"][0]["experiments"]] == ["canary"]  # type: ignore[index]
    assert halted["endpoints"][0]["experiments"] == []  # type: ignore[index]


def test_what_could_not_be_put_is_put_by_the_next_call(client: redis.Redis) -> None:
    endpoint()
    version, _ = published(client)
    client.delete(redis_keys.TABLE)
    publish("reconciled")
    assert published(client)[0] == version


def test_an_older_table_never_replaces_a_newer_one(client: redis.Redis) -> None:
    assert redis_table.put_table(client, 7, '{"version":7}')
    assert not redis_table.put_table(client, 7, '{"other":7}')
    assert not redis_table.put_table(client, 6, '{"version":6}')
    assert published(client) == (7, {"version": 7})


FORGED = 999_999_999_999_999


@pytest.mark.parametrize("content", ["no table", f'{{"version":{FORGED},"backends":[],"endpoints":[]}}'])
def test_a_version_that_is_too_large_is_replaced_and_no_version_follows_on_it(
    client: redis.Redis, content: str
) -> None:
    endpoint()
    version, _ = published(client)
    client.hset(redis_keys.TABLE, mapping={"version": FORGED, "content": content})
    publish("reconciled")
    assert published(client)[0] == version
    client.hset(redis_keys.TABLE, mapping={"version": FORGED, "content": content})
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    assert published(client)[0] <= version + 1
    assert RoutingTable.objects.order_by("version").last().version <= version + 1  # type: ignore[union-attr]


def test_a_table_of_another_version_than_it_is_told_as_is_left_aside(client: redis.Redis) -> None:
    endpoint()
    version, told = published(client)
    client.hset(redis_keys.TABLE, mapping={"version": version + 1, "content": json.dumps({**told, "version": FORGED})})
    publish("reconciled")
    assert published(client)[0] == version + 2
    assert not RoutingTable.objects.filter(version__gt=version + 2).exists()


def test_subscribers_hear_of_a_new_version(client: redis.Redis) -> None:
    with client.pubsub() as subscriber:  # type: ignore[no-untyped-call]
        subscriber.subscribe(redis_keys.TABLE_PUBLISHED)
        redis_table.put_table(client, 3, "{}")
        heard = [subscriber.get_message(timeout=PATIENCE_SECONDS) for _ in range(2)]
    assert heard[1] is not None
    assert heard[1]["data"] == "3"


@pytest.mark.usefixtures("client")
def test_a_table_that_edges_would_refuse_is_not_published() -> None:
    stored = endpoint()
    versions = RoutingTable.objects.count()
    with pytest.raises(InvalidInput):
        edit(backend("stable"), {"addresses": ["not an address"]}, actor=SLUICE)
    assert RoutingTable.objects.count() == versions
    assert stored.backend.addresses == ["http://127.0.0.1:9"]


def test_without_redis_the_change_is_kept() -> None:
    endpoint()
    assert Endpoint.objects.count() == 1
    assert RoutingTable.objects.count() > 0
