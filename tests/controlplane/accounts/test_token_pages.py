"""API tokens on their page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.accounts.tokens import find_token, issue_token
from controlplane.models import AuditEvent, Right, Role, Token, User
from tests.factories.drafts import endpoint
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


def test_a_token_is_shown_once_and_works() -> None:
    browser = visitor(Role.APPROVER)
    answer = browser.post("/tokens", {"name": "nightly", "role": "viewer", "days": "7"})
    secrets = re.findall(r"slc_[0-9a-f]{8}_[0-9a-f]{48}", answer.content.decode())
    assert len(secrets) == 1
    assert "no-store" in answer["Cache-Control"]
    found = find_token(secrets[0])
    assert found is not None
    assert (found.name, found.role, found.expires_at is not None) == ("nightly", "viewer", True)
    assert secrets[0] not in text(browser, "/tokens")
    assert AuditEvent.objects.filter(verb="create", object_type="token", object_key="nightly").exists()


def test_where_there_is_no_endpoint_yet_the_page_says_so() -> None:
    browser = visitor(Role.APPROVER)
    assert "There is none to choose yet." in text(browser, "/tokens")
    endpoint()
    page = text(browser, "/tokens")
    assert "There is none to choose yet." not in page
    assert "chat" in page


def test_nobody_makes_a_token_that_may_do_more() -> None:
    answer = visitor(Role.VIEWER).post("/tokens", {"name": "sneaky", "role": "admin"})
    assert "Select a valid choice" in answer.content.decode()
    assert not Token.objects.exists()


def test_a_token_may_send_outcomes_alone() -> None:
    visitor(Role.APPROVER).post("/tokens", {"name": "app", "role": "sender"})
    assert Token.objects.get().role == "sender"
    refused = visitor(Role.VIEWER).post("/tokens", {"name": "sneaky", "role": "sender"})
    assert "Select a valid choice" in refused.content.decode()
    assert Token.objects.count() == 1


def test_a_token_is_limited_to_scopes_that_its_role_has() -> None:
    browser = visitor(Role.APPROVER)
    browser.post("/tokens", {"name": "pipeline", "role": "approver", "scopes": ["start", "halt"]})
    assert Token.objects.get().scopes == ["halt", "start"]
    assert "halt, start alone" in text(browser, "/tokens")
    refused = browser.post("/tokens", {"name": "sneaky", "role": "viewer", "scopes": ["read", "start"]})
    assert "A viewer has no right to start." in refused.content.decode()
    assert Token.objects.count() == 1


def test_a_revoked_token_is_useless() -> None:
    browser = visitor(Role.APPROVER)
    secret = issue_token(User.objects.get(username="approver"), "old")
    answer = browser.post(f"/tokens/{Token.objects.get().prefix}/revoke", follow=True)
    assert "The token old is revoked." in answer.content.decode()
    assert find_token(secret) is None
    again = browser.post(f"/tokens/{Token.objects.get().prefix}/revoke", follow=True)
    assert "is revoked already" in again.content.decode()
    assert AuditEvent.objects.filter(verb="revoke", object_type="token").count() == 1


def test_a_rotated_token_goes_on_beside_the_new_one() -> None:
    browser = visitor(Role.APPROVER)
    expires = timezone.now() + timedelta(days=30)
    limits: dict[str, Any] = {"scopes": [Right.HALT], "networks": ["10.0.0.0/8"], "expires_at": expires}
    old = issue_token(User.objects.get(username="approver"), "nightly", **limits)
    prefix = Token.objects.get().prefix
    assert f'"/tokens/{prefix}/rotate"' in text(browser, "/tokens")
    answer = browser.post(f"/tokens/{prefix}/rotate", {"hours": "2"})
    [new] = re.findall(r"slc_[0-9a-f]{8}_[0-9a-f]{48}", answer.content.decode())
    former, present = find_token(old), find_token(new)
    assert former is not None
    assert present is not None
    assert former.expires_at is not None
    assert present.expires_at is not None
    assert timedelta(hours=1) < former.expires_at - timezone.now() < timedelta(hours=2)
    assert timedelta(days=29) < present.expires_at - timezone.now() <= timedelta(days=30)
    assert (present.name, present.scopes, present.networks) == ("nightly", ["halt"], ["10.0.0.0/8"])
    assert AuditEvent.objects.filter(verb="rotate", object_key="nightly").exists()
    assert new not in text(browser, "/tokens")


def test_a_token_is_rotated_by_its_owner_while_it_lives() -> None:
    browser, admin = visitor(Role.APPROVER), visitor(Role.ADMIN)
    issue_token(User.objects.get(username="approver"), "nightly")
    token = Token.objects.get()
    refused = admin.post(f"/tokens/{token.prefix}/rotate", {"hours": "2"})
    assert "belongs to somebody else" in refused.content.decode()
    browser.post(f"/tokens/{token.prefix}/revoke")
    assert "is revoked or expired" in browser.post(f"/tokens/{token.prefix}/rotate", {"hours": "2"}).content.decode()
    assert Token.objects.count() == 1


def test_networks_are_checked_and_shown() -> None:
    browser = visitor(Role.APPROVER)
    browser.post("/tokens", {"name": "ci", "role": "approver", "networks": "10.0.0.0/8, 192.0.2.7"})
    assert "from 10.0.0.0/8, 192.0.2.7/32 alone" in text(browser, "/tokens")
    refused = browser.post("/tokens", {"name": "ci", "role": "approver", "networks": "10.0.0.1/8"})
    assert "10.0.0.1/8 has host bits set. Write networks like 10.0.0.0/8." in refused.content.decode()
    assert Token.objects.count() == 1


def test_people_see_their_own_tokens_and_an_admin_sees_all() -> None:
    somebody = visitor(Role.APPROVER)
    issue_token(User.objects.get(username="approver"), "mine")
    prefix = Token.objects.get().prefix
    other = visitor(Role.VIEWER)
    assert "There are no tokens yet" in text(other, "/tokens")
    assert other.post(f"/tokens/{prefix}/revoke").status_code == 404
    assert prefix in text(somebody, "/tokens")
    admin = visitor(Role.ADMIN)
    assert prefix in text(admin, "/tokens")
    admin.post(f"/tokens/{prefix}/revoke")
    assert Token.objects.get().revoked_at is not None
