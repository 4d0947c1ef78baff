"""No cache keeps what one person may see, no page runs what is not Sluice's, and behind TLS browsers are told so."""

import re
from pathlib import Path

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


@pytest.mark.parametrize("path", ["/experiments", "/login", "/nowhere", "/api/v1/backends", "/api/v1/nothing-here"])
def test_browsers_run_and_frame_nothing_else(client: Client, path: str) -> None:
    client.force_login(User.objects.create_user("ann", role=Role.VIEWER))
    headers = client.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_no_template_has_scripts_or_styles_of_its_own() -> None:
    inline = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:|hx-on", re.IGNORECASE)
    templates = list(Path("templates").rglob("*.html"))
    assert len(templates) > 40
    assert [template for template in templates if inline.search(template.read_text())] == []


def test_without_tls_browsers_are_told_nothing_of_it(client: Client) -> None:
    assert "Strict-Transport-Security" not in client.get("/login").headers


def test_behind_tls_cookies_are_secure_and_browsers_stay_there(client: Client, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    answer = client.get("/login")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert answer.cookies["sluice_csrf"]["secure"]


def test_the_reference_of_the_api_may_run_nothing_else_either(client: Client) -> None:
    client.force_login(User.objects.create_user("ann", role=Role.VIEWER))
    drawn = [client.get("/api/redoc") for _ in range(2)]
    policies = [answer.headers["Content-Security-Policy"] for answer in (*drawn, client.get("/api/swagger"))]
    for policy in policies:
        assert "script-src 'self'; " in policy
        assert "unsafe" not in policy
    # What lets it write its styles is told once.
    [first, second] = [re.findall(r"'nonce-([^']{40,})'", policy) for policy in policies[:2]]
    assert first != second
    assert f'data-styles="{first[0]}"' in drawn[0].content.decode()
    assert client.get("/api/swagger").status_code == 200
