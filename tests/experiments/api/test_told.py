"""A brake that edges were not told of is no success, and everybody can see it until they are."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from experiments.loop.jobs import tick
from experiments.models import State
from routing import redis_keys
from routing.alerts.current import BEHIND_AFTER, alerts
from routing.models import AccessKey, Edge, Stop
from routing.publishing import redis_table
from routing.publishing.newest_table import latest_table
from routing.publishing.publish import publish
from routing.resources.issue_key import issue_key
from tests.factories.drafts import draft, endpoint
from tests.visitors.callers import Caller
from tests.visitors.roles import visitor

pytestmark = pytest.mark.django_db

REASON = {"reason": "looks wrong"}


@pytest.fixture(autouse=True)
def _running(db: None) -> None:
    start(draft(), actor=SLUICE)
    issue_key("app", endpoints=[endpoint()], expires_at=None, actor=SLUICE)


def send(operator: Caller, method: str, path: str, body: object = REASON) -> Any:
    answer = operator.send(method, path.format(key=AccessKey.objects.get().pk), body)
    assert (answer.status_code, answer.json()["code"]) == (503, "edges-not-told")
    assert answer.json()["detail"].startswith("It is recorded")
    return answer


def test_without_redis_a_halt_is_recorded_and_the_answer_says_what_is_missing(operator: Caller) -> None:
    send(operator, "POST", "experiments/canary/halt")
    assert operator.get("experiments/canary").json()["state"] == State.HALTED


def test_so_are_the_kill_switch_and_a_revoked_key(operator: Caller) -> None:
    send(operator, "POST", "kill-switch", {**REASON, "on": True})
    send(operator, "DELETE", "access-keys/{key}")
    assert Stop.objects.filter(ended_at=None).exists()
    assert AccessKey.objects.get().revoked_at is not None


def test_turning_the_kill_switch_off_takes_nothing_from_a_candidate(operator: Caller) -> None:
    assert operator.send("POST", "kill-switch", {**REASON, "on": False}).status_code == 200


def test_the_pages_say_so(operator: Caller) -> None:
    browser = visitor(Role.APPROVER)
    halted = browser.post("/experiments/canary/halt", REASON, follow=True).content.decode()
    stopped = browser.post("/kill-switch", {**REASON, "turn": "on"}).content.decode()
    revoked = browser.post(f"/access-keys/{AccessKey.objects.get().pk}/revoke", follow=True).content.decode()
    for page in (halted, stopped, revoked):
        assert "edges go on with an older one" in page
    assert "All users get the control again within a second." not in halted


def codes(seconds: float = 0) -> list[str]:
    return [alert.code for alert in alerts(timezone.now() + BEHIND_AFTER + timedelta(seconds=1 + seconds))]


def test_a_table_that_redis_does_not_have_is_an_alert_until_it_has(redis_server: redis.Redis) -> None:
    newest = publish("test").version
    assert codes() == []

    redis_server.hset(redis_keys.TABLE, "version", newest - 1)
    assert codes() == ["edges-not-told"]
    assert alerts(timezone.now()) == []

    tick()
    assert redis_table.current_version(redis_server) == newest
    assert codes() == []


def test_where_redis_does_not_answer_and_no_edge_is_heard_of_nobody_knows() -> None:
    publish("test")
    newest = latest_table()
    assert newest is not None
    Edge.objects.create(name="local", seen_at=timezone.now(), applied_version=newest.version)

    assert codes() == []
    assert set(codes(seconds=60)) == {"edge-silent", "edges-not-told"}
