"""Promotion by hand shows what it changes before it is done."""

import pytest
from django.test import Client

from controlplane.actors import SLUICE
from controlplane.models import Role
from experiments.actions.halt import halt_by_hand
from experiments.models import Experiment
from routing.models import Endpoint
from tests.controlplane.views.visitors import text, visitor
from tests.experiments.drafts import backend
from tests.experiments.views.findings import found, measured, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(db: None) -> Client:
    return visitor(Role.OPERATOR)


def words(browser: Client, path: str = "/experiments/canary/promote") -> str:
    return " ".join(text(browser, path).split())


def test_the_page_shows_who_gets_what(browser: Client) -> None:
    measured(running(), found())
    seen = words(browser)
    assert "All users of the endpoint <span" in seen
    assert "about <strong>10,000 users</strong>" in seen
    for cells in (("stable", "95 %", "0 %"), ("candidate", "5 %", "100 %")):
        assert (
            '<th scope="row" class="key">{}</th><td class="figure">{}</td><td class="figure">{}</td>'.format(*cells)
            in seen
        )
    assert Endpoint.objects.get().backend.key == "stable"


def test_users_of_other_experiments_keep_what_they_get(browser: Client) -> None:
    running("canary", traffic=50)
    running("other", traffic=50)
    assert '<th scope="row" class="key">stable</th><td class="figure">95 %</td><td class="figure">2.5 %</td>' in words(
        browser
    )


def test_nobody_measured_is_said(browser: Client) -> None:
    running()
    assert "nobody was measured so far" in words(browser)


def test_it_is_done_with_a_reason(browser: Client) -> None:
    running()
    typed = {"variant": "better", "reason": "The board says so."}
    page = browser.post("/experiments/canary/promote", typed, follow=True).content.decode()
    assert "All users get candidate within a second." in page
    assert "The board says so." in page
    assert Endpoint.objects.get().backend.key == "candidate"


def test_it_is_not_done_without_one(browser: Client) -> None:
    running()
    answer = browser.post("/experiments/canary/promote", {"variant": "better", "reason": " "})
    assert "This field is required." in answer.content.decode()
    assert Experiment.objects.get().state == "running"


def test_an_end_cannot_be_promoted(browser: Client) -> None:
    halt_by_hand(running(), actor=SLUICE, reason="enough")
    page = browser.post("/experiments/canary/promote", {"variant": "better", "reason": "why not"}, follow=True)
    assert "An experiment whose state is halted cannot be promoted." in page.content.decode()
    assert Endpoint.objects.get().backend.key == "stable"


def test_with_several_candidates_one_is_chosen(browser: Client) -> None:
    backend("third")
    backend("candidate")
    running(candidates=[{"key": "better", "backend": "candidate"}, {"key": "best", "backend": "third"}])
    assert "Promote third?" in words(browser, "/experiments/canary/promote?variant=best")
    browser.post("/experiments/canary/promote", {"variant": "best", "reason": "It is the best."})
    assert Endpoint.objects.get().backend.key == "third"
