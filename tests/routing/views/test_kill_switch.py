"""The kill switch on its pages, and what stopped experiments look like."""

import html
import re

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Endpoint, Stop
from tests.factories.drafts import draft
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _running(db: None) -> None:
    start(draft(), actor=SLUICE)


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("path", ["/kill-switch", "/endpoints/chat/stop"])
def test_it_is_turned_on_and_off_with_a_reason(path: str) -> None:
    browser = visitor(Role.APPROVER)
    assert '<a href="/experiments/canary">canary</a>' in text(browser, path)
    page = browser.post(path, {"turn": "on", "reason": "looks wrong"}, follow=True).content.decode()
    assert "are stopped; users get default backends" in page
    assert "by approver: looks wrong" in page
    assert 'value="off"' in text(browser, path)
    browser.post(path, {"turn": "off", "reason": "looks right"})
    assert not Stop.objects.filter(ended_at=None).exists()


def test_without_a_reason_nothing_is_turned() -> None:
    page = visitor(Role.APPROVER).post("/kill-switch", {"turn": "on", "reason": ""}).content.decode()
    assert "This field is required." in page
    assert not Stop.objects.exists()


def test_pressing_the_same_button_twice_does_not_turn_it_back() -> None:
    browser = visitor(Role.APPROVER)
    for _ in range(2):
        browser.post("/kill-switch", {"turn": "on", "reason": "looks wrong"})
    assert Stop.objects.filter(ended_at=None).count() == 1


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("path", ["/kill-switch", "/endpoints/chat/stop"])
def test_an_old_page_does_not_end_a_stop_that_came_after_it(path: str) -> None:
    browser = visitor(Role.APPROVER)
    where = Endpoint.objects.get() if "chat" in path else None
    stop_experiments(where, actor=SLUICE, reason="drill")
    old = since(text(browser, path))
    resume_experiments(where, actor=SLUICE, reason="over")
    stop_experiments(where, actor=SLUICE, reason="REAL harm")

    sent = {"turn": "off", "reason": "the drill is over", "since": old}
    page = browser.post(path, sent, follow=True).content.decode()
    assert "Nothing is done: the stop that you saw is over" in page
    assert "by sluice: REAL harm" in page
    assert Stop.objects.get(ended_at=None).reason == "REAL harm"

    browser.post(path, {**sent, "since": since(page)})
    assert not Stop.objects.filter(ended_at=None).exists()


def since(page: str) -> str:
    match = re.search(r'type="hidden" name="since" value="([^"]*)"', page)
    assert match is not None
    return html.unescape(match[1])


def test_an_experiment_says_that_it_is_stopped() -> None:
    browser = visitor(Role.VIEWER)
    seen = text(browser, "/experiments/canary")
    assert "Stopped by the kill switch" not in seen
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    page = text(browser, "/experiments/canary")
    assert "Stopped by the kill switch" in page
    assert "by sluice: looks wrong" in page
    assert '"/kill-switch"' not in page
    assert '"/kill-switch"' in text(visitor(Role.APPROVER), "/experiments/canary")
    assert "Stopped by the kill switch, by sluice: looks wrong" in text(browser, "/")


def test_an_open_page_hears_of_it() -> None:
    browser = visitor(Role.VIEWER)
    refresh = text(browser, "/experiments/canary").split('hx-get="')[-1].split('"')[0].replace("&amp;", "&")
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    assert "Stopped by the kill switch" in browser.get(refresh).content.decode()
