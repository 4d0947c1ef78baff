"""A brake that the database does not take reaches the edges, and is recorded later as it was."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from django.utils import timezone

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, NotAllowed, RecordedLater, Unavailable
from experiments.actions.advance import advance
from experiments.actions.conclude import conclude
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote, promote_by_hand
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.loop.jobs import tick
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, State
from routing import redis_keys
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import AccessKey, Endpoint, Entrance, RoutingTable, Stop
from routing.publishing import redis_table, waiting_orders
from routing.publishing.publish import publish
from routing.publishing.waiting_orders import Order, Verb
from routing.resources.edit import edit
from routing.resources.issue_key import issue_key, revoke_key
from routing.table import Table, from_json
from tests.connections import NOWHERE, environment
from tests.databases import refusing_writes
from tests.factories.drafts import draft
from tests.visitors.callers import Caller, caller
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.database]

OLGA = Actor("olga", Role.APPROVER)


@pytest.fixture(scope="module")
def _installation(module_database: None) -> None:
    """A canary on an endpoint that asks for keys."""
    start(draft(), actor=SLUICE)
    chat = Endpoint.objects.get()
    edit(chat, {"entrance": Entrance.KEY}, actor=SLUICE)
    issue_key("app", endpoints=[chat], expires_at=None, actor=SLUICE)


@pytest.fixture
def running(_installation: None, redis_server: redis.Redis) -> Experiment:
    publish("test")
    assert running_on(told(redis_server)) == ["canary"]
    return Experiment.objects.get()


def told(server: redis.Redis) -> Table:
    """What edges would fetch now."""
    return from_json(redis_table.current_table(server).content)


def running_on(table: Table) -> list[str]:
    return [experiment.key for endpoint in table.endpoints for experiment in endpoint.experiments]


def opened_by(table: Table) -> int:
    return sum(len(endpoint.access.keys) for endpoint in table.endpoints if endpoint.access)


def conclude_it(experiment: Experiment) -> None:
    conclude(experiment, Decision(DecisionKind.INCONCLUSIVE, "not-shown", "Cannot say."), actor=OLGA)


ENDINGS: list[tuple[Callable[[Experiment], None], State, str]] = [
    (lambda found: halt_by_hand(found, actor=OLGA, reason="looks wrong"), State.HALTED, "looks wrong"),
    (conclude_it, State.INCONCLUSIVE, "Cannot say."),
]


@pytest.mark.parametrize(("act", "state", "reason"), ENDINGS, ids=["halt", "conclude"])
def test_an_ending_is_told_at_once_and_recorded_as_it_was(
    running: Experiment,
    redis_server: redis.Redis,
    act: Callable[[Experiment], None],
    state: State,
    reason: str,
) -> None:
    before, began = told(redis_server).version, datetime.now(UTC)
    with refusing_writes(), pytest.raises(RecordedLater) as caught:
        act(running)
    ended = datetime.now(UTC)

    assert "edges apply it within a second" in caught.value.detail
    assert (running_on(told(redis_server)), told(redis_server).version) == ([], before + 1)
    assert Experiment.objects.get().state == State.RUNNING

    tick()

    found = Experiment.objects.get()
    assert (found.state, found.state_reason) == (state, reason)
    assert found.ended_at is not None
    assert began <= found.ended_at <= ended
    decision = found.decisions.get()
    assert (decision.actor, decision.reason, decision.at) == ("olga", reason, found.ended_at)
    event = AuditEvent.objects.get(object_key="canary", actor="olga")
    assert (event.reason, event.at) == (reason, found.ended_at)
    assert running_on(told(redis_server)) == []
    assert waiting_orders.waiting(redis_server) == []


@pytest.mark.parametrize("everywhere", [True, False])
def test_so_is_the_kill_switch(running: Experiment, redis_server: redis.Redis, everywhere: bool) -> None:
    where = None if everywhere else running.endpoint
    with refusing_writes(), pytest.raises(RecordedLater):
        stop_experiments(where, actor=OLGA, reason="looks wrong")

    assert running_on(told(redis_server)) == []
    assert not Stop.objects.exists()

    tick()

    stop = Stop.objects.get()
    assert (stop.endpoint, stop.by, stop.reason, stop.ended_at) == (where, "olga", "looks wrong", None)
    assert AuditEvent.objects.get(object_type="kill-switch").at == stop.since
    assert running_on(told(redis_server)) == []


def test_so_is_a_revoked_key(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        revoke_key(AccessKey.objects.get(), actor=OLGA)

    assert opened_by(told(redis_server)) == 0
    assert AccessKey.objects.get().revoked_at is None

    tick()

    revoked = AccessKey.objects.get().revoked_at
    assert AuditEvent.objects.get(verb="revoke").at == revoked
    assert opened_by(told(redis_server)) == 0
    assert running_on(told(redis_server)) == ["canary"]


def test_a_pause_is_recorded_later_too(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        pause(running, actor=OLGA, reason="lunch")
    assert running_on(told(redis_server)) == ["canary"]

    tick()

    found = Experiment.objects.get()
    assert (found.state, found.state_reason) == (State.PAUSED, "lunch")


def test_what_is_published_meanwhile_undoes_nothing(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(running, actor=OLGA, reason="looks wrong")
    chat = Endpoint.objects.get()
    edit(chat, {"timeout_seconds": 5}, actor=SLUICE)

    assert (running_on(told(redis_server)), told(redis_server).endpoints[0].timeout_seconds) == ([], 5)


def test_the_tables_that_edges_were_told_are_stored_too(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(running, actor=OLGA, reason="looks wrong")
    emergency = told(redis_server)

    tick()

    stored = RoutingTable.objects.get(version=emergency.version)
    assert from_json(stored.content) == emergency
    assert told(redis_server).version >= emergency.version


def test_a_halt_that_waits_comes_before_a_promotion(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(running, actor=OLGA, reason="looks wrong")

    with pytest.raises(Conflict):
        promote_by_hand(Experiment.objects.get(), actor=OLGA, reason="looks right")

    tick()
    assert Experiment.objects.get().state == State.HALTED


GIVING = [(advance, DecisionKind.ADVANCE), (promote, DecisionKind.PROMOTE)]


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize(("act", "kind"), GIVING, ids=["advance", "promote"])
def test_a_kill_switch_that_waits_keeps_sluice_from_giving_a_candidate_users(
    running: Experiment, redis_server: redis.Redis, act: Callable[..., None], kind: DecisionKind, everywhere: bool
) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        stop_experiments(None if everywhere else running.endpoint, actor=OLGA, reason="looks wrong")
    found = Experiment.objects.get()

    assert reconcile(found, now=timezone.now()) is None
    assert not found.analyses.exists()
    with pytest.raises(Conflict):
        act(found, Decision(kind, "shown", "It is better.", variant="better"), actor=SLUICE)

    assert (found.state, found.stage_index) == (State.RUNNING, 0)
    assert Endpoint.objects.get().backend.key == "stable"


def test_a_kill_switch_that_waits_is_seen_as_on(running: Experiment, viewer: Caller) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        stop_experiments(None, actor=OLGA, reason="looks wrong")

    everywhere = viewer.get("kill-switch").json()["everywhere"]
    assert (everywhere["by"], everywhere["reason"]) == ("olga", "looks wrong")
    assert "Stopped by the kill switch, by olga: looks wrong" in text(visitor(Role.VIEWER), "/")
    assert 'value="off"' in text(visitor(Role.APPROVER), "/kill-switch")
    with pytest.raises(Conflict, match="kill switch is on"):
        start(draft("other"), actor=SLUICE)


def test_a_kill_switch_that_waits_holds_back_its_endpoint_alone() -> None:
    order = Order(verb=Verb.STOP, subject="docs", actor="olga", role=Role.APPROVER, reason="looks wrong")
    assert (order.stops("docs"), order.stops("chat")) == (True, False)


def test_a_stop_that_waits_is_turned_off_too(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        stop_experiments(None, actor=OLGA, reason="looks wrong")

    resume_experiments(None, actor=OLGA, reason="looks right")
    tick()

    assert Stop.objects.get().ended_at is not None
    assert running_on(told(redis_server)) == ["canary"]


def test_an_order_that_came_too_late_is_forgotten(running: Experiment, redis_server: redis.Redis) -> None:
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(running, actor=OLGA, reason="looks wrong")
    halt_by_hand(Experiment.objects.get(), actor=SLUICE, reason="first")

    tick()

    assert Experiment.objects.get().state_reason == "first"
    assert waiting_orders.waiting(redis_server) == []


def test_what_waits_is_an_alert_on_every_page(running: Experiment, viewer: Caller) -> None:
    browser = visitor(Role.VIEWER)
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(running, actor=OLGA, reason="looks wrong")

    [alert] = viewer.get("alerts").json()
    assert alert["code"] == "brake-unrecorded"
    assert "halt of canary by olga. looks wrong" in alert["detail"]
    assert "halt of canary by olga" in text(browser, "/endpoints")

    tick()
    assert viewer.get("alerts").json() == []


def test_who_may_not_pull_a_brake_may_not_either(running: Experiment, redis_server: redis.Redis) -> None:
    guest = Actor("guest", Role.VIEWER)
    acts: list[Callable[[], object]] = [
        lambda: halt_by_hand(running, actor=guest, reason="looks wrong"),
        lambda: stop_experiments(None, actor=guest, reason="looks wrong"),
        lambda: revoke_key(AccessKey.objects.get(), actor=guest),
        lambda: pause(running, actor=guest),
    ]
    with refusing_writes():
        for act in acts:
            with pytest.raises(NotAllowed):
                act()
    assert running_on(told(redis_server)) == ["canary"]
    assert waiting_orders.waiting(redis_server) == []


def test_what_has_ended_is_not_halted(running: Experiment, redis_server: redis.Redis) -> None:
    halt_by_hand(running, actor=OLGA, reason="looks wrong")
    with refusing_writes(), pytest.raises(Conflict):
        halt_by_hand(Experiment.objects.get(), actor=OLGA, reason="again")
    assert waiting_orders.waiting(redis_server) == []


def test_when_nothing_can_be_written_the_answer_says_so(running: Experiment) -> None:
    with environment(redis_url=NOWHERE), refusing_writes(), pytest.raises(Unavailable) as caught:
        halt_by_hand(running, actor=OLGA, reason="looks wrong")
    assert caught.value.code == "brake-failed"
    assert caught.value.detail.startswith("Nothing has changed")


def answer_of(method: str, path: str, body: object = None) -> Any:
    """A call by somebody whose token was never used, so that its use would have to be noted."""
    operator = caller(Role.APPROVER)
    with refusing_writes():
        return operator.send(method, path, body)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "experiments/canary/halt"), ("POST", "kill-switch"), ("DELETE", "access-keys/{key}")],
)
def test_the_api_answers_202_and_says_why(running: Experiment, method: str, path: str) -> None:
    body = {"reason": "looks wrong", "on": True} if "kill" in path else {"reason": "looks wrong"}
    answer = answer_of(method, path.format(key=AccessKey.objects.get().pk), body)
    assert (answer.status_code, answer.json()["code"]) == (202, "recorded-later")
    assert answer["content-type"] == "application/problem+json"


def test_other_writes_answer_503(running: Experiment) -> None:
    answer = answer_of("PATCH", "backends/stable", {"name": "New"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")


def test_the_page_says_so_too(running: Experiment, redis_server: redis.Redis) -> None:
    browser = visitor(Role.APPROVER)
    with refusing_writes():
        page = browser.post("/experiments/canary/halt", {"reason": "looks wrong"}, follow=True).content.decode()
    assert "It is done: edges apply it within a second." in page
    assert running_on(told(redis_server)) == []


def test_equal_orders_have_equal_texts() -> None:
    order = Order(verb=Verb.HALT, subject="canary", actor="olga", role=Role.APPROVER, reason="no", at=timezone.now())
    assert waiting_orders.to_text(order) == waiting_orders.to_text(
        Order(**{name: getattr(order, name) for name in order.__slots__})
    )


NO_TABLES: dict[str, Callable[[redis.Redis], object]] = {
    "text": lambda server: server.hset(redis_keys.TABLE, "version", "abc"),
    "a fraction": lambda server: server.hset(redis_keys.TABLE, "version", "7.5"),
    "endless": lambda server: server.hset(redis_keys.TABLE, "version", "inf"),
    "huge": lambda server: server.hset(redis_keys.TABLE, "version", "9" * 30),
    "below none": lambda server: server.hset(redis_keys.TABLE, "version", "-1"),
    "no content": lambda server: server.hset(redis_keys.TABLE, mapping={"version": "abc", "content": "{"}),
    "no hash": lambda server: (server.delete(redis_keys.TABLE), server.set(redis_keys.TABLE, "x")),
}
BRAKES: dict[str, Callable[[Experiment], object]] = {
    "halt": lambda found: halt_by_hand(found, actor=OLGA, reason="looks wrong"),
    "kill switch": lambda found: stop_experiments(None, actor=OLGA, reason="looks wrong"),
}


@pytest.mark.parametrize("case", list(NO_TABLES))
@pytest.mark.parametrize("brake", list(BRAKES))
@pytest.mark.parametrize("refuses", [False, True], ids=["recorded", "recorded later"])
def test_what_is_no_table_in_redis_is_replaced_by_one_without_what_was_taken_out(
    running: Experiment, redis_server: redis.Redis, case: str, brake: str, refuses: bool
) -> None:
    before = RoutingTable.objects.latest("version").version
    NO_TABLES[case](redis_server)
    if refuses:
        with refusing_writes(), pytest.raises(RecordedLater):
            BRAKES[brake](running)
    else:
        BRAKES[brake](running)
    assert running_on(told(redis_server)) == []
    assert redis_table.current_version(redis_server) > before


@pytest.mark.parametrize("case", list(NO_TABLES))
def test_a_tick_replaces_what_is_no_table(running: Experiment, redis_server: redis.Redis, case: str) -> None:
    NO_TABLES[case](redis_server)
    publish("test")
    assert running_on(told(redis_server)) == ["canary"]


@pytest.mark.parametrize("brake", list(BRAKES))
def test_a_row_that_cannot_be_recorded_keeps_no_brake_from_the_edges(
    running: Experiment, redis_server: redis.Redis, brake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit trail stands for any row that a record is made of and that makes no sense."""

    def nonsense(*_: object, **__: object) -> object:
        raise ValueError("nonsense in a row")

    with monkeypatch.context() as broken:
        broken.setattr(AuditEvent, "save", nonsense)
        broken.setattr(AuditEvent.objects, "create", nonsense, raising=False)
        with pytest.raises(RecordedLater, match="nonsense in a row"):
            BRAKES[brake](running)
        assert running_on(told(redis_server)) == []
        other = Order(verb=Verb.PAUSE, subject="gone", actor="olga", role=Role.APPROVER, reason="lunch")
        waiting_orders.keep(redis_server, other)
        tick()
        assert [order.subject for order in waiting_orders.waiting(redis_server)] != []
        assert other not in waiting_orders.waiting(redis_server)
        assert running_on(told(redis_server)) == []

    tick()

    assert waiting_orders.waiting(redis_server) == []
    assert running_on(told(redis_server)) == []
    assert AuditEvent.objects.filter(actor="olga").exists()
