"""Which buttons each state shows, and what they do."""

import re

import pytest
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent, Role
from experiments.actions.conclude import conclude
from experiments.actions.edit_draft import edit_draft
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
    return visitor(Role.APPROVER)


def press(browser: Client, verb: str, **typed: str) -> str:
    return browser.post(f"/experiments/canary/{verb}", typed, follow=True).content.decode()


def offers(page: str, verb: str) -> bool:
    return re.search(rf'"/experiments/canary/{verb}["?]', page) is not None


def hidden_version(page: str) -> str:
    match = re.search(r'type="hidden" name="version" value="([^"]*)"', page)
    assert match is not None
    return match[1]


def state() -> str:
    return Experiment.objects.get().state


@pytest.mark.parametrize(("name", "offered"), STATES.items())
def test_a_state_offers_what_it_allows(browser: Client, name: str, offered: list[str]) -> None:
    assert experiment_in(name).state == name
    page = text(browser, "/experiments/canary")
    assert [verb for verb in VERBS if offers(page, verb)] == [verb for verb in VERBS if verb in offered]


@pytest.mark.parametrize("name", STATES)
def test_a_viewer_is_offered_nothing(name: str) -> None:
    experiment_in(name)
    page = text(visitor(Role.VIEWER), "/experiments/canary")
    assert [verb for verb in VERBS if offers(page, verb)] == []


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
    assert set(actors) == {("approver", ""), ("approver", "it answers in Latin")}


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


def test_a_draft_that_somebody_else_changed_is_not_started_unseen(browser: Client) -> None:
    seen = hidden_version(text(browser, "/experiments/canary")) if planned() else ""
    edit_draft(Experiment.objects.get(), {"traffic": 50}, actor=SLUICE)

    answer = press(browser, "start", version=seen)

    assert "Nothing is done: canary or its endpoint was changed after you opened its page." in answer
    assert state() == "draft"
    assert not AuditEvent.objects.filter(object_type="experiment", verb="start").exists()
    press(browser, "start", version=hidden_version(answer))
    assert state() == "running"


def test_a_draft_that_somebody_else_changed_is_not_deleted_unseen(browser: Client) -> None:
    page = text(browser, "/experiments/canary") if planned() else ""
    edit_draft(Experiment.objects.get(), {"traffic": 50}, actor=SLUICE)

    asked = text(browser, re.findall(r'href="(/experiments/canary/delete[^"]*)"', page)[0])
    answer = press(browser, "delete", version=hidden_version(asked))

    assert "Nothing is done: canary or its endpoint was changed after you opened its page." in answer
    assert Experiment.objects.exists()
    asked = text(browser, re.findall(r'href="(/experiments/canary/delete[^"]*)"', answer)[0])
    assert "is deleted" in press(browser, "delete", version=hidden_version(asked))


@pytest.mark.parametrize("version", ["0", "2", "", "one", "1" * 5000])
def test_a_version_that_is_not_the_present_one_starts_nothing(browser: Client, version: str) -> None:
    planned()
    assert "Nothing is done" in press(browser, "start", version=version)
    assert state() == "draft"


def test_a_brake_heeds_no_version(browser: Client) -> None:
    running()
    press(browser, "halt", reason="it answers in Latin", version="0")
    assert state() == "halted"
