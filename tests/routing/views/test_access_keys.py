"""Access keys and issuers on their pages."""

import re

import pytest

from controlplane.models import Role
from routing.models import AccessKey, Issuer
from tests.factories.drafts import endpoint
from tests.factories.tokens import Signer
from tests.visitors.pages import send
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


def test_a_key_is_shown_once_and_can_be_revoked() -> None:
    endpoint()
    browser = visitor(Role.APPROVER)
    page = browser.post("/access-keys", {"client": "mobile", "days": "7"}).content.decode()
    found = re.search(r"slk_[\w-]{20,}", page)
    assert found
    assert found[0] not in text(browser, "/access-keys")
    assert "mobile" in text(browser, "/access-keys")

    page = browser.post(f"/access-keys/{AccessKey.objects.get().pk}/revoke", follow=True).content.decode()

    assert "is revoked" in page
    assert "Revoked" in page


def test_a_key_for_tests_is_told_from_others() -> None:
    browser = visitor(Role.EDITOR)
    browser.post("/access-keys", {"client": "mobile", "days": "7"})
    assert "For tests" not in re.findall(r"<tbody>.*</tbody>", text(browser, "/access-keys"), re.DOTALL)[0]

    browser.post("/access-keys", {"client": "quality", "days": "7", "for_tests": "on"})

    assert text(browser, "/access-keys").count('<span class="pill wait">For tests</span>') == 1
    assert AccessKey.objects.get(for_tests=True).client == "quality"


def test_viewers_see_no_keys() -> None:
    assert visitor(Role.VIEWER).get("/access-keys").status_code == 403


def test_an_issuer_is_registered_changed_and_removed() -> None:
    browser = visitor(Role.APPROVER)
    typed = {"key": "login", "name": "Login", "issuer": "https://login.example.com", "key_set": Signer().key_set()}
    assert "is registered" in browser.post("/issuers/new", typed, follow=True).content.decode()

    assert "is changed" in send(browser, "/issuers/login/edit", audiences="chat\napp")
    assert Issuer.objects.get().audiences == ["chat", "app"]

    assert "is removed" in browser.post("/issuers/login/delete", follow=True).content.decode()


def test_a_key_set_that_is_none_is_said() -> None:
    typed = {"key": "login", "name": "Login", "issuer": "x", "key_set": "no"}
    assert "no usable key set" in visitor(Role.APPROVER).post("/issuers/new", typed).content.decode()
