"""What people read when something goes wrong."""

import pytest
from django.template.loader import render_to_string
from django.test import Client

from controlplane.models import Role, User
from controlplane.problems.errors import Unavailable
from routing.models import Backend
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/nothing", "/experiments/nothing", "/routing-tables/99", "/backends/no/edit"])
def test_an_unknown_address_says_so(path: str) -> None:
    assert "There is nothing at this address" in text(visitor(Role.APPROVER), path, status=404)


def test_a_stranger_gets_the_same_sentence_without_a_menu() -> None:
    page = text(Client(), "/nothing", status=404)
    assert "There is nothing at this address" in page
    assert "Log out" not in page


def test_a_form_without_its_token_is_explained() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create(username="olga", role=Role.APPROVER))
    answer = browser.post("/backends/new", {"key": "chat-v2"})
    assert answer.status_code == 403
    assert "This form is out of date, and nothing was changed" in answer.content.decode()


def test_the_page_of_a_failure_needs_nothing_that_may_have_failed() -> None:
    page = render_to_string("500.html")
    assert "Something went wrong in Sluice" in page
    assert "Live traffic is not touched" in page


def test_what_a_page_was_refused_is_said_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(key: str) -> None:
        raise Unavailable("lake-unavailable", "The lake cannot be read.", next_step="Try again in a moment.")

    monkeypatch.setattr("experiments.views.detail.read_dossier", away)
    page = text(visitor(Role.APPROVER), "/experiments/canary", status=503)
    assert "The lake cannot be read. Try again in a moment." in page


def test_a_thing_that_was_just_removed_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise Backend.DoesNotExist

    monkeypatch.setattr("controlplane.catalogue.pages.get_object_or_404", gone)
    assert "Somebody has just removed it." in text(visitor(Role.APPROVER), "/layers/chat/edit", status=404)


def test_a_form_that_is_too_large_says_how_large_it_may_be() -> None:
    browser = visitor(Role.APPROVER)
    answer = browser.post("/backends/new", {"key": "a" * 2_700_000})
    assert answer.status_code == 413
    assert "at most 2621440 bytes" in answer.content.decode()


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "rot13", "no-such-one"])
def test_forms_are_utf_8(charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = visitor(Role.APPROVER).generic("POST", "/backends/new", b"key=a", kind)
    assert answer.status_code == 400
    assert "Send forms as UTF-8." in answer.content.decode()
