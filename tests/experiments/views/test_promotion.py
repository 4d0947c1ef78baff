"""Promotion by hand shows what it changes before it is done."""

import pytest
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.halt import halt_by_hand
from experiments.models import Experiment
from routing.models import Endpoint
from routing.resources.edit import edit
from tests.experiments.views.findings import found, measured, planned, running
from tests.factories.drafts import backend
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def browser(db: None) -> Client:
    return visitor(Role.APPROVER)


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


GERMANY = ["x-country is DE"]
PROMPTED = {"key": "better", "backend": "stable", "headers": {"x-prompt": "v2"}, "query": {"top": "5"}}
WHAT = "stable with x-prompt: v2, ?top=5"


def test_what_differs_in_parameters_alone_is_shown_as_such(browser: Client) -> None:
    running(candidates=[PROMPTED])
    seen = words(browser)
    assert f'<strong class="key">{WHAT}</strong> instead of <span class="key">stable</span>' in seen
    assert f'<th scope="row" class="key">{WHAT}</th><td class="figure">5 %</td><td class="figure">100 %</td>' in seen
    typed = {"variant": "better", "reason": "It is better."}
    page = browser.post("/experiments/canary/promote", typed, follow=True).content.decode()
    assert f"Promoted. All users get {WHAT} within a second." in page
    assert f"Promoted: all users of chat get {WHAT}." in page
    assert "headers and query parameters of chat can be edited there" in page
    assert Endpoint.objects.get().headers == {"x-prompt": "v2"}


def test_an_audience_is_kept_unless_everybody_is_chosen(browser: Client) -> None:
    running(audience=GERMANY)
    seen = words(browser)
    assert 'who meet <span class="key">x-country is DE</span> will get' in seen
    assert "All others keep what they have." in seen
    assert "Promote better for this audience" in seen
    assert '<th scope="row" class="key">candidate</th><td class="figure">5 %</td><td class="figure">100 %</td>' in seen
    typed = {"variant": "better", "reason": "It is better."}
    page = browser.post("/experiments/canary/promote", typed, follow=True).content.decode()
    assert "Promoted. Users who meet x-country is DE get candidate within a second." in page
    assert "users of chat who meet x-country is DE get candidate; all others keep what they had" in page
    found = Endpoint.objects.get()
    assert (found.backend.key, [rule["backend"] for rule in found.rules]) == ("stable", ["candidate"])


def test_for_everybody_is_a_choice_that_says_what_is_not_known(browser: Client) -> None:
    running(audience=GERMANY)
    assert "everybody=yes" in words(browser)
    seen = words(browser, "/experiments/canary/promote?variant=better&everybody=yes")
    assert "its effect on all others is unknown" in seen
    assert "Promote better to all users" in seen
    assert '<th scope="row" class="key">candidate</th><td class="figure">0 %</td><td class="figure">100 %</td>' in seen
    sent = {"variant": "better", "everybody": "yes", "reason": "The board says so."}
    page = browser.post("/experiments/canary/promote", sent, follow=True).content.decode()
    assert "Promoted. All users get candidate within a second." in page
    assert Endpoint.objects.get().backend.key == "candidate"


def test_who_keeps_what_a_rule_says_is_shown_before(browser: Client) -> None:
    rule = {"key": "german", "conditions": GERMANY, "backend": backend("third").key}
    experiment = running()
    edit(experiment.endpoint, {"rules": [rule]}, actor=SLUICE)
    seen = words(browser)
    assert "whom no rule concerns will get" in seen
    assert "Users of a rule keep its backend:" in seen
    assert '<span class="key">german</span> (x-country is DE)' in seen
    typed = {"variant": "better", "reason": "It is better."}
    page = browser.post("/experiments/canary/promote", typed, follow=True).content.decode()
    assert "Promoted. Users whom no rule concerns get candidate within a second." in page
    assert [kept["key"] for kept in Endpoint.objects.get().rules] == ["german"]


def test_whom_a_promotion_will_reach_is_part_of_the_plan(browser: Client) -> None:
    planned("everybody")
    planned("german", audience=GERMANY)
    assert "<dt>Winner</dt><dd>for all users of chat</dd>" in words(browser, "/experiments/everybody")
    seen = words(browser, "/experiments/german")
    assert "for users of chat who meet x-country is DE; all others keep what they have" in seen
    assert "unless a person promotes for everybody" in seen


def test_who_has_a_rule_is_told_of_wherever_it_says_who_gets_what(browser: Client) -> None:
    rule = {"key": "german", "conditions": GERMANY, "backend": backend("third").key, "headers": {"x-prompt": "de"}}
    experiment = running()
    edit(experiment.endpoint, {"rules": [rule]}, actor=SLUICE)
    told = "users of chat get stable, but third with x-prompt: de where x-country is DE"
    assert f"After a halt {told} again" in words(browser, "/experiments/canary")
    halt_by_hand(experiment, actor=SLUICE, reason="enough")
    assert f"U{told[1:]} again." in words(browser, "/experiments/canary")
