"""Whatever the database holds, brakes reach the edges, and what is sound is published; what is broken is said."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from django.db import DataError, connection
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from controlplane.problems.errors import InvalidInput
from controlplane.storage.redis_connections import get_redis
from experiments.actions.halt import halt_by_hand
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from experiments.loop.jobs import tick
from experiments.models import Experiment, State
from routing.alerts.current import alerts
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import AccessKey, Backend, Endpoint, Entrance, Hindrance, Issuer, Split
from routing.publishing import redis_table
from routing.publishing.publish import publish
from routing.resources.edit import edit
from routing.resources.issue_key import issue_key, revoke_key
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.switch import switch
from routing.table import Access, Table, from_json
from tests.factories.drafts import draft, endpoint
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

TIER = {"key": "easy", "backend": "gone", "longest_bytes": 10}


def chat(**changes: Any) -> None:
    Endpoint.objects.filter(key="chat").update(**changes)


def split(**changes: Any) -> None:
    Split.objects.filter(experiment="canary").update(**changes)


BREAK: dict[str, Callable[[], object]] = {
    "a tier names a missing backend": lambda: chat(tiers=[TIER]),
    "tiers are no list": lambda: chat(tiers=7),
    "tiers are null": lambda: Endpoint.objects.filter(key="chat").update(tiers="null"),
    "a tier of another shape": lambda: chat(tiers=[{"name": "easy"}]),
    "a shadow names a missing backend": lambda: chat(shadows=[{"name": "try", "backend": "gone", "percent": 5}]),
    "a condition that cannot be read": lambda: chat(conditions=["x-country maybe DE"]),
    "hosts that are numbers": lambda: chat(hosts=[7]),
    "a lone surrogate": lambda: chat(model_names=["\ud800"]),
    "a path of another endpoint": lambda: chat(path_prefix="/search"),
    "an endless time limit": lambda: chat(first_byte_seconds=1e300),
    "arms that are no list": lambda: split(arms={"variant": "control"}),
    "an arm of another shape": lambda: split(arms=[{"variant": "control"}]),
    "an arm without a backend": lambda: split(arms=[{"variant": "new", "backend": "gone", "start": 0, "end": 9}]),
    "a span that is a text": lambda: split(arms=[{"variant": "new", "backend": "stable", "start": "x", "end": 9}]),
    "an audience that cannot be read": lambda: split(audience=[5]),
    "a guard of another shape": lambda: split(guard={"often": True}),
    "a backend without an address": lambda: Backend.objects.filter(key="stable").update(addresses=[]),
    "addresses that are a number": lambda: Backend.objects.filter(key="stable").update(addresses=5),
    "an issuer's key set": lambda: Issuer.objects.filter(key="login").update(key_set="none"),
}


@pytest.fixture(scope="module")
def _installation(module_database: None) -> None:
    """A canary on `chat` and one on `docs`, which asks for keys, beside `search` without one."""
    issuer = Issuer(key="login", name="Login", issuer="https://login.example.com", key_set=Signer().key_set())
    register(issuer, actor=SLUICE)
    for key in ("chat", "docs", "search"):
        endpoint(key)
    start(draft(), actor=SLUICE)
    start(draft("other", endpoint="docs"), actor=SLUICE)
    docs = Endpoint.objects.get(key="docs")
    edit(docs, {"entrance": Entrance.KEY}, actor=SLUICE)
    issue_key("app", endpoints=[docs], expires_at=None, actor=SLUICE)


@pytest.fixture
def running(_installation: None, redis_server: redis.Redis) -> Experiment:
    publish("test")
    return Experiment.objects.get(key="canary")


@pytest.fixture(params=BREAK.values(), ids=list(BREAK))
def broken(request: pytest.FixtureRequest, running: Experiment) -> Table:
    """What edges were given before the database broke."""
    before = told()
    try:
        request.param()
    except (UnicodeEncodeError, DataError):
        pytest.skip("this database takes no such text")
    return before


def told() -> Table:
    """What edges would fetch now."""
    return from_json(redis_table.current_table(get_redis()).content)


def on(table: Table, key: str) -> Any:
    return next(found for found in table.endpoints if found.key == key)


def running_on(table: Table, key: str) -> list[str]:
    return [experiment.key for experiment in on(table, key).experiments]


@pytest.mark.database
def test_what_is_sound_is_published(broken: Table) -> None:
    search = Endpoint.objects.get(key="search")
    edit(search, {"timeout_seconds": 5}, actor=SLUICE)

    assert on(told(), "search") == replace(on(broken, "search"), timeout_seconds=5)
    assert running_on(told(), "chat") == ["canary"]
    assert on(told(), "chat").path_prefix == "/chat"


@pytest.mark.database
def test_every_brake_reaches_the_edges_and_no_tick_undoes_it(broken: Table) -> None:
    revoke_key(AccessKey.objects.get(), actor=SLUICE)
    publish("reconciled")
    assert on(broken, "docs").access.keys
    assert on(told(), "docs").access == Access()

    stop_experiments(Endpoint.objects.get(key="docs"), actor=SLUICE, reason="looks wrong")
    publish("reconciled")
    assert (running_on(told(), "docs"), running_on(told(), "chat")) == ([], ["canary"])

    halt_by_hand(Experiment.objects.get(key="canary"), actor=SLUICE, reason="looks wrong")
    publish("reconciled")
    assert Experiment.objects.get(key="canary").state == State.HALTED
    assert on(told(), "chat") == replace(on(broken, "chat"), experiments=())
    assert told().version > broken.version


def test_the_kill_switch_of_all_endpoints_too(broken: Table) -> None:
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    publish("reconciled")

    assert [running_on(told(), key) for key in ("chat", "docs", "search")] == [[], [], []]
    assert on(told(), "chat") == replace(on(broken, "chat"), experiments=(), warm=("candidate",))


def test_halting_another_endpoints_experiment_leaves_what_is_broken_as_it_was(broken: Table) -> None:
    halt_by_hand(Experiment.objects.get(key="other"), actor=SLUICE, reason="looks wrong")

    assert (running_on(told(), "docs"), on(told(), "chat")) == ([], on(broken, "chat"))


@pytest.mark.usefixtures("broken")
def test_everybody_is_told_what_is_broken() -> None:
    tick()

    [alert] = [alert for alert in alerts(timezone.now()) if alert.code == "not-published"]
    assert "stays as it was" in alert.detail
    assert alert.next_step
    for path in ("/edges", "/audit", "/"):
        assert "stays as it was" in text(visitor(Role.VIEWER), path)


def test_the_alert_goes_when_it_is_mended(running: Experiment, viewer: Caller) -> None:
    chat(tiers=[TIER])
    publish("test")
    [alert] = viewer.get("alerts").json()
    assert alert["code"] == "not-published"
    assert alert["detail"].startswith("Not published: endpoint chat stays as it was")
    assert "names the backend gone" in alert["detail"]
    assert alert["next_step"] == "Register or restore the backend, or name another."

    found = Endpoint.objects.get(key="chat")
    edit(found, {"tiers": []}, actor=SLUICE)

    assert viewer.get("alerts").json() == []
    assert "stays as it was" not in text(visitor(Role.VIEWER), "/endpoints")


def test_an_alert_keeps_the_moment_since_when(running: Experiment) -> None:
    chat(tiers=[TIER])
    publish("test")
    [first] = alerts(timezone.now())
    chat(tiers=[{**TIER, "backend": "another"}])
    publish("test")

    [second] = alerts(timezone.now())
    assert (second.since, "another" in second.detail) == (first.since, True)


def test_what_is_broken_can_be_removed(running: Experiment) -> None:
    Endpoint.objects.filter(key="search").update(tiers=[TIER])
    publish("test")

    remove(Endpoint.objects.get(key="search"), actor=SLUICE)

    assert [found.key for found in told().endpoints] == ["chat", "docs"]
    assert not Hindrance.objects.exists()


@pytest.mark.database
def test_nothing_is_called_done_on_an_endpoint_that_stays_broken(running: Experiment) -> None:
    """Edges would not hear of it."""
    waiting = draft("waiting", endpoint="search")
    for key in ("chat", "search"):
        Endpoint.objects.filter(key=key).update(tiers=[TIER], standby=Backend.objects.get(key="candidate"))
    found = Endpoint.objects.get(key="chat")
    acts: list[Callable[[], object]] = [
        lambda: edit(found, {"name": "Another name"}, actor=SLUICE),
        lambda: start(waiting, actor=SLUICE),
        lambda: switch(Endpoint.objects.get(key="search"), actor=SLUICE),
        lambda: promote_by_hand(Experiment.objects.get(key="canary"), actor=SLUICE, reason="looks right"),
    ]
    for act in acts:
        with pytest.raises(InvalidInput, match="names the backend gone"):
            act()
    assert Experiment.objects.get(key="waiting").state == State.DRAFT
    assert Experiment.objects.get(key="canary").state == State.RUNNING


@pytest.mark.usefixtures("broken")
def test_the_switch_is_turned_off_again() -> None:
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    resume_experiments(None, actor=SLUICE, reason="looks right")

    assert running_on(told(), "docs") == ["other"]


def test_a_row_that_cannot_even_be_read_spoils_no_other(running: Experiment) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("this database keeps such values out")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE routing_endpoint SET created_at = 'never' WHERE key = 'chat'")
    before = told()

    stop_experiments(Endpoint.objects.only("pk", "key").get(key="docs"), actor=SLUICE, reason="looks wrong")

    assert on(told(), "chat") == on(before, "chat")
    assert running_on(told(), "docs") == []
