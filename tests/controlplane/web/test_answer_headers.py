"""No cache keeps what one person may see, and an installation behind TLS says so to browsers."""

import pytest
from django.test import Client
from pytest_django import Settings

from controlplane.models import Role, User
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db

NOT_KEPT = "private, no-store"


@pytest.mark.parametrize("path", ["backends", "experiments", "me", "nothing-here"])
def test_no_answer_of_the_api_is_kept(viewer: Caller, path: str) -> None:
    assert viewer.get(path).headers["Cache-Control"] == NOT_KEPT


@pytest.mark.parametrize("path", ["/experiments", "/backends", "/login", "/nowhere"])
def test_no_page_is_kept(client: Client, path: str) -> None:
    client.force_login(User.objects.create_user("ann", role=Role.VIEWER))
    assert "no-store" in client.get(path).headers["Cache-Control"]


def test_without_tls_browsers_are_told_nothing_of_it(client: Client) -> None:
    assert "Strict-Transport-Security" not in client.get("/login").headers


def test_behind_tls_cookies_are_secure_and_browsers_stay_there(client: Client, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    answer = client.get("/login")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert answer.cookies["sluice_csrf"]["secure"]
