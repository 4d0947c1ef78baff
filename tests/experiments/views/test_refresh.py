"""The refresh in the background: only what changed travels, and nothing once the experiment has ended."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.edit_draft import edit_draft
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.start import start
from tests.experiments.views.findings import found, measured, planned, running
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


OVER_TIME = {"effect", "effect_rows", "course", "course_rows"}


def address(html: str) -> str:
    match = re.search(r'id="refresh" hx-get="([^"]+)"', html)
    assert match is not None
    return match[1].replace("&amp;", "&")


def refresh(browser: Client, page: str) -> HttpResponse:
    answer = browser.get(address(page), headers={"HX-Request": "true"})
    assert isinstance(answer, HttpResponse)
    return answer


def parts(answer: HttpResponse) -> set[str]:
    return set(re.findall(r'id="part-([a-z_]+)" hx-swap-oob', answer.content.decode()))


@pytest.fixture
def browser(db: None) -> Client:
    return visitor(Role.APPROVER)


def test_nothing_new_is_no_content(browser: Client) -> None:
    measured(running(), found())
    page = text(browser, "/experiments/canary")
    assert refresh(browser, page).status_code == 204


def test_a_new_analysis_renews_what_it_says_and_leaves_the_buttons(browser: Client) -> None:
    experiment = running()
    measured(experiment, found())
    page = text(browser, "/experiments/canary")
    measured(experiment, found())
    assert parts(refresh(browser, page)) == {"results", "traffic", *OVER_TIME}


def test_a_pause_renews_the_verdict_and_the_buttons(browser: Client) -> None:
    experiment = running()
    page = text(browser, "/experiments/canary")
    pause(experiment, actor=SLUICE, reason="lunch")
    answer = refresh(browser, page)
    assert {"verdict", "announcement", "actions", "stages", "log"} <= parts(answer)
    assert "/experiments/canary/resume" in answer.content.decode()
    assert refresh(browser, answer.content.decode()).status_code == 204


def test_the_end_is_the_last_that_is_asked_for(browser: Client) -> None:
    experiment = running()
    page = text(browser, "/experiments/canary")
    halt_by_hand(experiment, actor=SLUICE, reason="enough")
    last = refresh(browser, page).content.decode()
    assert 'id="refresh"' in last
    assert "hx-get" not in last
    assert "every 2s" not in text(browser, "/experiments/canary")


def test_a_draft_that_was_started_elsewhere_is_loaded_anew(browser: Client) -> None:
    experiment = planned()
    page = text(browser, "/experiments/canary")
    assert refresh(browser, page).status_code == 204
    start(experiment, actor=SLUICE)
    assert refresh(browser, page)["HX-Refresh"] == "true"


def test_a_draft_that_was_changed_elsewhere_is_loaded_anew(browser: Client) -> None:
    experiment = planned()
    page = text(browser, "/experiments/canary")
    edit_draft(experiment, {"traffic": 50}, actor=SLUICE)
    assert refresh(browser, page)["HX-Refresh"] == "true"
    assert refresh(browser, text(browser, "/experiments/canary")).status_code == 204


def widths(html: str) -> list[str]:
    return re.findall(r'class="on-([a-z]+)"[^>]*><svg', html)


def test_a_page_is_drawn_at_one_width_and_the_other_is_there_to_be_asked_for(browser: Client) -> None:
    measured(running(), found())
    page = text(browser, "/experiments/canary")
    assert widths(page) == ["wide"] * 3
    asked = re.findall(r'class="on-narrow"[^>]* hx-get="([^"]+)"', page)
    drawings = [text(browser, each.replace("&amp;", "&")) for each in asked]
    assert len(set(drawings)) == 3
    for drawing in drawings:
        assert drawing.startswith("<svg")
        assert '<input type="hidden" name="width" value="narrow">' in drawing


@pytest.mark.parametrize("asked", [["narrow"], ["wide", "narrow"]])
def test_a_refresh_draws_the_widths_that_this_browser_shows(browser: Client, asked: list[str]) -> None:
    experiment = running()
    measured(experiment, found())
    seen = address(text(browser, "/experiments/canary"))
    measured(experiment, found())
    renewed = text(browser, seen + "".join(f"&width={width}" for width in asked))
    assert widths(renewed) == asked * 3
    assert renewed.count('<input type="hidden" name="width"') == 3 * len(asked)


def test_a_drawing_of_nothing_is_no_content(browser: Client) -> None:
    running()
    assert browser.get("/experiments/canary/drawing?name=forest&width=narrow").status_code == 204


@pytest.mark.parametrize("asked", ["name=forest", "name=none&width=wide", "name=forest&width=wide&width=narrow"])
def test_a_drawing_is_of_one_chart_at_one_width(browser: Client, asked: str) -> None:
    running()
    assert browser.get(f"/experiments/canary/drawing?{asked}").status_code == 404
