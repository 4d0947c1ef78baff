"""What people read when something goes wrong."""

import pytest
from django.template.loader import render_to_string
from django.test import Client

from controlplane.models import Role, User
from tests.controlplane.views.visitors import text, visitor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/nothing", "/experiments/nothing", "/routing-tables/99", "/backends/no/edit"])
def test_an_unknown_address_says_so(path: str) -> None:
    assert "There is nothing at this address" in text(visitor(Role.OPERATOR), path, status=404)


def test_a_stranger_gets_the_same_sentence_without_a_menu() -> None:
    page = text(Client(), "/nothing", status=404)
    assert "There is nothing at this address" in page
    assert "Log out" not in page


def test_a_form_without_its_token_is_explained() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create(username="olga", role=Role.OPERATOR))
    answer = browser.post("/backends/new", {"key": "chat-v2"})
    assert answer.status_code == 403
    assert "This form is out of date, and nothing was changed" in answer.content.decode()


def test_the_page_of_a_failure_needs_nothing_that_may_have_failed() -> None:
    page = render_to_string("500.html")
    assert "Something went wrong in Sluice" in page
    assert "Live traffic is not touched" in page
