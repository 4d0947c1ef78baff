"""Blue-green on its page."""

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing.models import Endpoint
from routing.resources.edit import edit
from tests.factories.drafts import backend as registered
from tests.factories.drafts import draft, endpoint
from tests.visitors.pages import fields, opened, send
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _warm(db: None) -> None:
    endpoint(standby="candidate")


def backend() -> str:
    return Endpoint.objects.get().backend.key


def test_it_is_shown_before_it_is_done() -> None:
    browser = visitor(Role.APPROVER)
    assert "Switch all users to candidate" in text(browser, "/endpoints/chat/switch")
    page = browser.post("/endpoints/chat/switch", {"to": "candidate"}, follow=True).content.decode()
    assert "Endpoint chat is switched" in page
    assert backend() == "candidate"


def test_a_page_that_is_out_of_date_switches_nothing() -> None:
    browser = visitor(Role.APPROVER)
    browser.post("/endpoints/chat/switch", {"to": "candidate"})
    assert "not candidate" in browser.post("/endpoints/chat/switch", {"to": "candidate"}).content.decode()
    assert backend() == "candidate"


def test_while_an_experiment_runs_it_has_to_be_forced() -> None:
    start(draft(candidates=[{"key": "better", "backend": registered("third").key}]), actor=SLUICE)
    browser = visitor(Role.APPROVER)
    assert "Switch although experiments run" in text(browser, "/endpoints/chat/switch")
    assert "force the switch" in browser.post("/endpoints/chat/switch", {"to": "candidate"}).content.decode()
    assert backend() == "stable"
    browser.post("/endpoints/chat/switch", {"to": "candidate", "forced": "on"})
    assert backend() == "candidate"


def test_without_a_standby_the_page_leads_to_the_endpoint() -> None:
    Endpoint.objects.update(standby=None)
    page = visitor(Role.APPROVER).get("/endpoints/chat/switch", follow=True).content.decode()
    assert "has no standby. Name one first." in page


def test_a_standby_that_is_the_backend_is_refused() -> None:
    stable = Endpoint.objects.get().backend
    page = send(visitor(Role.APPROVER), "/endpoints/chat/edit", standby=stable.pk)
    assert "The standby is another backend than the default one." in page


def test_both_sides_are_shown_with_what_they_set() -> None:
    rule = {"key": "german", "conditions": ["x-country is DE"], "backend": "stable"}
    changes = {"headers": {"x-prompt": "v1"}, "standby_query": {"top": "5"}, "rules": [rule]}
    edit(Endpoint.objects.get(), changes, actor=SLUICE)
    page = " ".join(text(visitor(Role.APPROVER), "/endpoints/chat/switch").split())
    assert '<td class="key">stable with x-prompt: v1</td><td class="key">candidate with ?top=5</td>' in page
    assert 'a rule gives something else keep it: <span class="key">german</span> (x-country is DE)' in page


def test_a_page_from_before_a_change_switches_nothing_and_shows_it() -> None:
    browser = visitor(Role.APPROVER)
    page = opened(browser, "/endpoints/chat/switch")
    edit(Endpoint.objects.get(), {"standby_headers": {"x-prompt": "v2"}}, actor=SLUICE)
    answer = browser.post("/endpoints/chat/switch", page).content.decode()
    assert "was changed since you read it" in answer
    assert "candidate with x-prompt: v2" in answer
    assert backend() == "stable"
    browser.post("/endpoints/chat/switch", fields(answer))
    assert (backend(), Endpoint.objects.get().headers) == ("candidate", {"x-prompt": "v2"})
