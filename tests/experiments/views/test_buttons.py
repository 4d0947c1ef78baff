"""Which buttons each state shows, and what they do."""

import pytest
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent, Role
from experiments.actions.conclude import conclude
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote_by_hand
from experiments.decide import Decision, DecisionKind
from experiments.models import Experiment
from tests.experiments.views.findings import planned, running
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

VERBS = ("start", "delete", "pause", "resume", "halt", "promote")
STATES = {
    "draft": ["start", "delete"],
    "running": ["pause", "halt", "promote"],
    "paused": ["resume", "halt", "promote"],
    "halted": [],
    "promoted": [],
    "inconclusive": ["promote"],
}


def experiment_in(state: str) -> Experiment:
    if state == "draft":
        return planned()
    experiment = running()
    if state == "paused":
        pause(experiment, actor=SLUICE)
    elif state == "halted":
        halt_by_hand(experiment, actor=SLUICE, reason="enough")
    elif state == "promoted":
        promote_by_hand(experiment, actor=SLUICE, reason="good")
    elif state == "inconclusive":
        conclude(experiment, Decision(DecisionKind.INCONCLUSIVE, "not-shown", "Cannot say."), actor=SLUICE)
    return experiment


@pytest.fixture
def browser(db: None) -> Client:
    return visitor(Role.OPERATOR)


def press(browser: Client, verb: str, **typed: str) -> str:
    return browser.post(f"/experiments/canary/{verb}", typed, follow=True).content.decode()


def state() -> str:
    return Experiment.objects.get().state


@pytest.mark.parametrize(("name", "offered"), STATES.items())
def test_a_state_offers_what_it_allows(browser: Client, name: str, offered: list[str]) -> None:
    assert experiment_in(name).state == name
    page = text(browser, "/experiments/canary")
    assert [verb for verb in VERBS if f'"/experiments/canary/{verb}"' in page] == [
        verb for verb in VERBS if verb in offered
    ]


@pytest.mark.parametrize("name", STATES)
def test_a_viewer_is_offered_nothing(name: str) -> None:
    experiment_in(name)
    page = text(visitor(Role.VIEWER), "/experiments/canary")
    assert [verb for verb in VERBS if f'"/experiments/canary/{verb}"' in page] == []


def test_a_life_by_buttons(browser: Client) -> None:
    planned()
    assert "The plan is frozen" in press(browser, "start")
    assert state() == "running"
    press(browser, "pause", reason="lunch")
    assert state() == "paused"
    press(browser, "resume")
    assert state() == "running"
    assert "it answers in Latin" in press(browser, "halt", reason=" it answers in Latin ")
    assert state() == "halted"
    actors = AuditEvent.objects.filter(object_type="experiment", verb__in=("start", "halt")).values_list(
        "actor", "reason"
    )
    assert set(actors) == {("operator", ""), ("operator", "it answers in Latin")}


def test_a_halt_without_a_reason_is_not_done(browser: Client) -> None:
    running()
    assert "A halt needs a reason." in press(browser, "halt", reason="  ")
    assert state() == "running"


def test_a_button_that_comes_too_late_says_so(browser: Client) -> None:
    running()
    assert "needs it to be draft" in press(browser, "start")
    assert state() == "running"


def test_a_draft_is_deleted_after_a_question(browser: Client) -> None:
    planned()
    assert "Its plan is lost." in text(browser, "/experiments/canary/delete")
    assert "The draft canary is deleted." in press(browser, "delete")
    assert not Experiment.objects.exists()


def test_what_has_started_is_kept(browser: Client) -> None:
    running()
    assert "its history is kept" in press(browser, "delete")
    assert Experiment.objects.exists()
