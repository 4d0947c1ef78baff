"""A page that shows an experiment as it no longer is gives nobody anything."""

import html
import re

import pytest
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.pause import pause
from experiments.actions.resume import resume
from experiments.models import Experiment, State
from routing.resources.edit import edit
from tests.experiments.views.findings import running
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

DETAIL = "/experiments/canary"
PROMOTION = "/experiments/canary/promote"


@pytest.fixture
def browser(db: None) -> Client:
    running()
    return visitor(Role.APPROVER)


def seen(page: str) -> str:
    match = re.search(r'type="hidden" name="seen" value="([^"]*)"', page)
    assert match is not None
    return html.unescape(match[1])


def test_a_promotion_page_from_before_a_pause_promotes_nothing(browser: Client) -> None:
    typed = {"variant": "better", "reason": "The board says so.", "seen": seen(text(browser, PROMOTION))}
    pause(Experiment.objects.get(), actor=SLUICE, reason="REAL doubts")

    page = browser.post(PROMOTION, typed, follow=True).content.decode()

    assert "It was running on stage 1 then, and is paused on stage 1 now: REAL doubts" in page
    assert Experiment.objects.get().state == State.PAUSED
    browser.post(PROMOTION, {**typed, "seen": seen(page)})
    assert Experiment.objects.get().state == State.PROMOTED


def test_a_promotion_page_promises_what_its_endpoint_gave_then(browser: Client) -> None:
    typed = {"variant": "better", "reason": "The board says so.", "seen": seen(text(browser, PROMOTION))}
    edit(Experiment.objects.get().endpoint, {"headers": {"x-prompt": "new"}}, actor=SLUICE)

    page = browser.post(PROMOTION, typed, follow=True).content.decode()

    assert "canary or its endpoint was changed after you opened its page" in page
    assert Experiment.objects.get().state == State.RUNNING
    browser.post(PROMOTION, {**typed, "seen": seen(page)})
    assert Experiment.objects.get().state == State.PROMOTED


def test_a_resume_is_of_the_pause_that_was_seen(browser: Client) -> None:
    pause(Experiment.objects.get(), actor=SLUICE, reason="lunch")
    old = seen(text(browser, DETAIL))
    resume(Experiment.objects.get(), actor=SLUICE)
    pause(Experiment.objects.get(), actor=SLUICE, reason="REAL doubts")

    page = browser.post(f"{DETAIL}/resume", {"seen": old}, follow=True).content.decode()

    assert "and is paused on stage 1 now: REAL doubts" in page
    assert Experiment.objects.get().state == State.PAUSED
    browser.post(f"{DETAIL}/resume", {"seen": seen(page)})
    assert Experiment.objects.get().state == State.RUNNING


def test_a_pause_is_done_whatever_the_page_showed(browser: Client) -> None:
    browser.post(f"{DETAIL}/pause", {"seen": "running on stage 7|long ago"})
    assert Experiment.objects.get().state == State.PAUSED
