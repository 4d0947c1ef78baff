"""A write that is sent again with its key is done once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.db.models.signals import post_save

from controlplane.audit.actors import SLUICE
from controlplane.models import Role, Token
from experiments.actions.start import start
from experiments.models import Experiment, State
from routing.kill_switch.stops import open_stops
from routing.models import AccessKey, Layer
from tests.factories.drafts import draft, endpoint
from tests.visitors.callers import Caller, caller

pytestmark = pytest.mark.django_db

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
DAY = 86_400


def send(who: Caller, path: str, body: str, key: str = KEY) -> Any:
    headers = {"idempotency-key": key}
    return who.client.generic("POST", f"/api/v1/{path}", body, "application/json", headers=headers)


def layer(key: str = "shop", name: str = "Shop") -> str:
    return f'{{"key": "{key}", "name": "{name}"}}'


@pytest.fixture
def live() -> Experiment:
    experiment = draft("live")
    start(experiment, actor=SLUICE)
    return experiment


@pytest.mark.usefixtures("redis_server")
def test_the_first_answer_comes_again(operator: Caller) -> None:
    first = send(operator, "layers", layer())
    again = send(operator, "layers", layer())
    assert (again.status_code, again.json(), again["ETag"]) == (201, first.json(), first["ETag"])
    assert (again["Idempotency-Replayed"], "Idempotency-Replayed" in first) == ("true", False)


@pytest.mark.usefixtures("redis_server")
def test_without_a_key_it_is_another_write(operator: Caller) -> None:
    assert [operator.send("POST", "access-keys", {"client": "web"}).status_code for _ in range(2)] == [201, 201]


@pytest.mark.usefixtures("redis_server")
def test_a_key_that_came_with_another_request_is_refused(operator: Caller) -> None:
    send(operator, "layers", layer())
    for path, body in (("layers", layer(name="Other")), ("metrics", layer()), ("layers?x=1", layer())):
        refused = send(operator, path, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "key-of-another-request")
        assert refused["Content-Type"] == "application/problem+json"
    assert Layer.objects.get(key="shop").name == "Shop"


@contextmanager
def amid_a_write(act: Any) -> Iterator[None]:
    """While the first layer is saved, do this too."""

    def once(**_: Any) -> None:
        post_save.disconnect(once, sender=Layer)
        act()

    post_save.connect(once, sender=Layer)
    yield


@pytest.mark.usefixtures("redis_server")
def test_what_is_not_answered_yet_is_not_done_beside(operator: Caller) -> None:
    beside: list[Any] = []
    with amid_a_write(lambda: beside.append(send(operator, "layers", layer()))):
        assert send(operator, "layers", layer()).status_code == 201
    [refused] = beside
    assert (refused.status_code, refused.json()["code"]) == (409, "still-running")


@pytest.mark.usefixtures("redis_server")
def test_what_was_refused_may_be_sent_again(operator: Caller) -> None:
    assert send(operator, "layers", '{"key": "shop"}').status_code == 400
    assert send(operator, "layers", layer()).status_code == 201


@pytest.mark.usefixtures("redis_server")
def test_what_fails_unexpectedly_may_be_sent_again(operator: Caller) -> None:
    def fail() -> None:
        raise RuntimeError

    with amid_a_write(fail):
        assert send(operator, "layers", layer()).status_code == 500
    assert send(operator, "layers", layer()).status_code == 201


def test_a_secret_is_kept_nowhere(operator: Caller, redis_server: redis.Redis) -> None:
    secret = send(operator, "access-keys", '{"client": "web"}').json()["key"]
    again = send(operator, "access-keys", '{"client": "web"}')
    assert (again.status_code, again.json()["code"]) == (409, "answer-not-kept")
    assert "Revoke the newest key of this client" in again.json()["next_step"]
    assert AccessKey.objects.count() == 1
    [stored] = [redis_server.get(name) for name in redis_server.keys("sluice:answer:*")]
    assert secret not in str(stored)


def test_who_is_to_be_erased_is_kept_nowhere(redis_server: redis.Redis) -> None:
    body = '{"user": "ada.lovelace", "reason": "she asked"}'
    answers = [send(caller(Role.ADMIN), "erasures", body, key="ada.lovelace") for _ in range(2)]
    assert {answer.status_code for answer in answers} == {202}
    names = redis_server.keys("sluice:answer:*")
    assert "ada" not in f"{names} {[redis_server.get(name) for name in names]}"
    assert all(DAY - 60 < redis_server.ttl(name) <= DAY for name in names)


@pytest.mark.usefixtures("redis_server")
def test_callers_choose_keys_for_themselves(operator: Caller) -> None:
    body = '{"client": "web"}'
    assert send(operator, "access-keys", body).status_code == 201
    assert send(caller(Role.APPROVER), "access-keys", body).status_code == 201


@pytest.mark.usefixtures("redis_server")
def test_who_may_not_is_told_so_also_of_what_was_done(operator: Caller, viewer: Caller) -> None:
    send(operator, "layers", layer())
    assert send(viewer, "layers", layer()).status_code == 403
    Token.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert send(operator, "layers", layer()).status_code == 401


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("key", ["", '""', "two words", "x" * 256, "schlüssel", 'a"b'])
def test_a_key_is_of_a_form(operator: Caller, key: str) -> None:
    refused = send(operator, "layers", layer(), key=key.encode().decode("latin-1"))
    assert (refused.status_code, refused.json()["code"]) == (400, "key-unusable")
    assert not Layer.objects.filter(key="shop").exists()


@pytest.mark.usefixtures("redis_server")
def test_a_key_in_quotes_is_the_same(operator: Caller) -> None:
    assert send(operator, "layers", layer(), key="abc").status_code == 201
    assert send(operator, "layers", layer(), key='"abc"')["Idempotency-Replayed"] == "true"


@pytest.mark.usefixtures("redis_server")
def test_a_halt_that_is_sent_again_is_answered_as_the_first(operator: Caller, live: Experiment) -> None:
    body = '{"reason": "looks wrong"}'
    first, again = (send(operator, f"experiments/{live.key}/halt", body) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()["state"]) == (200, 200, State.HALTED)
    assert again["Idempotency-Replayed"] == "true"
    refused = send(operator, f"experiments/{live.key}/halt", '{"reason": "another"}')
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")


@pytest.mark.usefixtures("redis_server")
def test_a_brake_is_pulled_each_time(operator: Caller) -> None:
    endpoint()
    on = '{"on": true, "reason": "looks wrong"}'
    for _ in range(2):
        assert send(operator, "kill-switch", on).json()["everywhere"]["reason"] == "looks wrong"
        operator.send("POST", "kill-switch", {"on": False, "reason": "looks right"})
        assert open_stops().everywhere is None


def test_without_redis_a_brake_holds_and_nothing_else_is_done(operator: Caller, live: Experiment) -> None:
    refused = send(operator, "layers", layer())
    assert (refused.status_code, refused.json()["code"]) == (503, "keys-not-kept")
    assert not Layer.objects.filter(key="shop").exists()
    assert send(operator, f"experiments/{live.key}/pause", "{}").status_code == 200


@pytest.mark.usefixtures("redis_server")
def test_what_writes_nothing_takes_no_key(operator: Caller) -> None:
    body = '{"layers": [{"key": "shop", "name": "Shop"}]}'
    answers = [send(operator, "specs/plan", body) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("Idempotency-Replayed" in answer for answer in answers)
