"""A halt or a pause that was sent takes hold, whoever moved the experiment since it was read."""

from collections.abc import Callable

import pytest
import redis
from django.db import transaction

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import Role
from controlplane.problems.errors import Conflict, RecordedLater
from experiments.actions.advance import advance
from experiments.actions.conclude import conclude
from experiments.actions.halt import halt, halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote, promote_by_hand
from experiments.actions.resume import resume
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.lifecycle.lease import leased
from experiments.loop.jobs import tick
from experiments.models import Experiment, State
from routing.models import Endpoint, RoutingTable, Split
from routing.publishing import waiting_orders
from routing.publishing.publish import publish
from routing.resources.edit import edit
from routing.table import from_json
from tests.databases import refusing_writes
from tests.factories.drafts import backend, draft
from tests.visitors.callers import Caller
from tests.visitors.roles import visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.database]

ADVANCE = Decision(DecisionKind.ADVANCE, "advance-1", "Nothing is wrong.")
HARM = Decision(DecisionKind.HALT, "harm", "It fails its users.", variant="better")
BETTER = Decision(DecisionKind.PROMOTE, "goals-met", "Better.", variant="better")
OLGA = Actor("olga", Role.APPROVER)

Act = Callable[[Experiment], None]
HALTS: dict[str, Act] = {
    "by hand": lambda e: halt_by_hand(e, actor=OLGA, reason="looks wrong"),
    "automatic": lambda e: halt(e, HARM, actor=SLUICE),
}


def pause_again(experiment: Experiment) -> None:
    pause(experiment, actor=SLUICE)
    resume(fresh(experiment), actor=SLUICE)


def edit_the_endpoint(experiment: Experiment) -> None:
    edit(experiment.endpoint, {"timeout_seconds": 5}, actor=SLUICE)


MOVES: dict[str, Act] = {
    "advance": lambda e: advance(e, ADVANCE, actor=SLUICE),
    "pause": lambda e: pause(e, actor=SLUICE),
    "pause and resume": pause_again,
    "edit": edit_the_endpoint,
}


def fresh(experiment: Experiment) -> Experiment:
    return Experiment.objects.select_related("endpoint", "plan").get(pk=experiment.pk)


def measured_now() -> list[str]:
    """The experiments of the newest table."""
    newest = RoutingTable.objects.order_by("-version")[0]
    return [experiment.key for endpoint in from_json(newest.content).endpoints for experiment in endpoint.experiments]


@pytest.mark.parametrize("move", list(MOVES))
@pytest.mark.parametrize("by", list(HALTS))
def test_a_halt_takes_out_what_was_moved_since_it_was_read(running: Experiment, by: str, move: str) -> None:
    read = fresh(running)
    MOVES[move](fresh(running))
    HALTS[by](read)
    after = fresh(running)
    assert (after.state, after.paused_at) == (State.HALTED, None)
    assert not Split.objects.exists()
    assert measured_now() == []


@pytest.mark.parametrize("by", list(HALTS))
def test_a_halt_takes_out_what_was_a_draft_when_it_was_read(by: str) -> None:
    read = draft()
    start(fresh(read), actor=SLUICE)
    HALTS[by](read)
    assert fresh(read).state == State.HALTED


def test_a_halt_takes_out_what_was_paused_and_is_resumed(running: Experiment) -> None:
    pause(running, actor=SLUICE)
    read = fresh(running)
    resume(fresh(running), actor=SLUICE)
    halt_by_hand(read, actor=OLGA, reason="looks wrong")
    assert fresh(running).state == State.HALTED


@pytest.mark.parametrize("move", ["advance", "pause and resume", "edit"])
def test_a_pause_stops_what_was_moved_since_it_was_read(running: Experiment, move: str) -> None:
    read = fresh(running)
    MOVES[move](fresh(running))
    pause(read, actor=OLGA, reason="lunch")
    after = fresh(running)
    assert (after.state, after.stage_index) == (State.PAUSED, 1 if move == "advance" else 0)


def test_a_brake_needs_no_lease(running: Experiment) -> None:
    with leased(running) as lease:
        halt_by_hand(fresh(running), actor=OLGA, reason="looks wrong")
        with pytest.raises(Conflict):
            advance(running, ADVANCE, actor=SLUICE, lease=lease)
        with pytest.raises(Conflict):
            promote(running, BETTER, actor=SLUICE, lease=lease)
    assert fresh(running).state == State.HALTED
    assert fresh(running).endpoint.backend.key == "stable"


def test_who_advances_after_a_halt_puts_nobody_back(running: Experiment) -> None:
    read = fresh(running)
    halt_by_hand(fresh(running), actor=OLGA, reason="looks wrong")
    with pytest.raises(Conflict):
        advance(read, ADVANCE, actor=SLUICE)
    with pytest.raises(Conflict):
        pause(fresh(running), actor=SLUICE)
    assert not Split.objects.exists()


STANDBY = "Switch endpoint chat back to stable, on its page or by POST /api/v1/endpoints/chat/switch."
DEFAULT = "Make stable what endpoint chat gives by default again, on its page or by PATCH /api/v1/endpoints/chat."
RULE = "Take the rule for x-country is DE away from endpoint chat, on its page or by PATCH /api/v1/endpoints/chat."


@pytest.mark.parametrize("act", ["halt", "pause"])
@pytest.mark.parametrize(
    ("standby", "audience", "next_step"),
    [("candidate", [], STANDBY), ("", [], DEFAULT), ("candidate", ["x-country is DE"], RULE)],
)
def test_a_brake_after_a_promotion_says_what_users_get_and_how_to_put_it_back(
    act: str, standby: str, audience: list[str], next_step: str
) -> None:
    experiment = draft(audience=audience)
    if standby:
        edit(experiment.endpoint, {"standby": backend(standby)}, actor=SLUICE)
    start(experiment, actor=SLUICE)
    brakes: dict[str, Act] = {"halt": HALTS["by hand"], "pause": lambda e: pause(e, actor=OLGA)}
    read = fresh(experiment)
    promote_by_hand(fresh(experiment), actor=SLUICE, reason="looks right")
    for late in (read, fresh(experiment)):
        with pytest.raises(Conflict) as caught:
            brakes[act](late)
        assert caught.value.code == "promoted-already"
        assert "get candidate" in caught.value.detail
        assert caught.value.next_step == next_step


def test_the_page_and_the_api_say_it_too(running: Experiment, operator: Caller) -> None:
    promote_by_hand(fresh(running), actor=SLUICE, reason="looks right")
    answer = operator.send("POST", "experiments/canary/halt", {"reason": "looks wrong"})
    assert (answer.status_code, answer.json()["code"], answer.json()["next_step"]) == (409, "promoted-already", DEFAULT)
    form = {"reason": "looks wrong"}
    page = visitor(Role.APPROVER).post("/experiments/canary/halt", form, follow=True).content.decode()
    assert DEFAULT in page


def test_a_brake_after_another_ending_says_that_nothing_is_left(running: Experiment) -> None:
    read = fresh(running)
    conclude(fresh(running), Decision(DecisionKind.INCONCLUSIVE, "not-shown", "Cannot say."), actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        halt_by_hand(read, actor=OLGA, reason="looks wrong")
    assert caught.value.code == "overtaken"
    assert "its candidates get no users any more" in caught.value.next_step


def test_a_halt_comes_before_a_pause_that_waits_to_be_recorded(running: Experiment, redis_server: redis.Redis) -> None:
    publish("test")
    with refusing_writes(), pytest.raises(RecordedLater):
        pause(fresh(running), actor=OLGA, reason="lunch")
    halt_by_hand(fresh(running), actor=OLGA, reason="looks wrong")
    assert fresh(running).state == State.HALTED
    tick()
    assert (fresh(running).state, waiting_orders.waiting(redis_server)) == (State.HALTED, [])


@pytest.mark.parametrize("move", ["advance", "pause and resume"])
def test_a_halt_that_waits_takes_out_what_was_moved_meanwhile(
    running: Experiment, redis_server: redis.Redis, move: str
) -> None:
    """The move was under way when edges were told, and is recorded before the halt."""
    publish("test")
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(fresh(running), actor=OLGA, reason="looks wrong")
    [order] = waiting_orders.waiting(redis_server)
    waiting_orders.forget(redis_server, order)
    MOVES[move](fresh(running))
    waiting_orders.keep(redis_server, order)
    tick()
    assert fresh(running).state == State.HALTED


def test_a_promotion_that_is_under_way_comes_to_nothing_once_a_halt_was_told(
    running: Experiment, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The halt cannot wait until the promotion lets go of the row: edges are told, and it is recorded later."""
    publish("test")
    with refusing_writes(), pytest.raises(RecordedLater):
        halt_by_hand(fresh(running), actor=OLGA, reason="looks wrong")
    [order] = waiting_orders.waiting(redis_server)
    waiting_orders.forget(redis_server, order)

    def told_meanwhile(*_: object, **__: object) -> None:
        waiting_orders.keep(redis_server, order)

    monkeypatch.setattr("experiments.actions.promote.set_default", told_meanwhile)
    with pytest.raises(Conflict), transaction.atomic():
        promote(fresh(running), BETTER, actor=SLUICE)
    tick()
    assert fresh(running).state == State.HALTED
    assert Endpoint.objects.get().backend.key == "stable"
