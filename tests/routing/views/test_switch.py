"""Blue-green on its page."""

import pytest

from controlplane.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing.models import Endpoint
from tests.controlplane.views.visitors import text, visitor
from tests.experiments.drafts import draft, endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _warm(db: None) -> None:
    endpoint(standby="candidate")


def backend() -> str:
    return Endpoint.objects.get().backend.key


def test_it_is_shown_before_it_is_done() -> None:
    browser = visitor(Role.OPERATOR)
    assert "Switch all users to candidate" in text(browser, "/endpoints/chat/switch")
    page = browser.post("/endpoints/chat/switch", {"to": "candidate"}, follow=True).content.decode()
    assert "Endpoint chat is switched" in page
    assert backend() == "candidate"


def test_a_page_that_is_out_of_date_switches_nothing() -> None:
    browser = visitor(Role.OPERATOR)
    browser.post("/endpoints/chat/switch", {"to": "candidate"})
    assert "not candidate" in browser.post("/endpoints/chat/switch", {"to": "candidate"}).content.decode()
    assert backend() == "candidate"


def test_while_an_experiment_runs_it_has_to_be_forced() -> None:
    start(draft(), actor=SLUICE)
    browser = visitor(Role.OPERATOR)
    assert "Switch although experiments run" in text(browser, "/endpoints/chat/switch")
    assert "force the switch" in browser.post("/endpoints/chat/switch", {"to": "candidate"}).content.decode()
    assert backend() == "stable"
    browser.post("/endpoints/chat/switch", {"to": "candidate", "forced": "on"})
    assert backend() == "candidate"


def test_without_a_standby_the_page_leads_to_the_endpoint() -> None:
    Endpoint.objects.update(standby=None)
    page = visitor(Role.OPERATOR).get("/endpoints/chat/switch", follow=True).content.decode()
    assert "has no standby. Name one first." in page


def test_a_standby_that_is_the_backend_is_refused() -> None:
    stable = Endpoint.objects.get().backend
    typed = {"key": "chat", "name": "Chat", "path_prefix": "/chat", "unit_source": "header", "unit_name": "x-user-id"}
    both = {"backend": stable.pk, "standby": stable.pk}
    page = visitor(Role.OPERATOR).post("/endpoints/chat/edit", {**typed, **both}).content.decode()
    assert "The standby is another backend than the default one." in page
