"""Tokens over the API: who sees which, and what one may do to itself and to others."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from controlplane.accounts.tokens import find_token, issue_token
from controlplane.models import AuditEvent, Right, Role, Token, User
from tests.visitors.callers import Caller, caller

pytestmark = pytest.mark.django_db


def owner() -> User:
    return User.objects.get_or_create(username="olga", defaults={"role": Role.APPROVER})[0]


def bearer(secret: str) -> Caller:
    return Caller(Client(headers={"authorization": f"Bearer {secret}"}))


def prefix(secret: str) -> str:
    return secret.split("_")[1]


def test_people_see_their_own_tokens_and_an_admin_sees_all_and_nobody_a_secret() -> None:
    secret = issue_token(owner(), "mine", scopes=[Right.READ])
    other = issue_token(User.objects.create_user("otto", role=Role.VIEWER), "other", role=Role.VIEWER)
    answer = bearer(secret).get("tokens")
    [row] = answer.json()["results"]
    assert (row["prefix"], row["owner"], row["scopes"]) == (prefix(secret), "olga", ["read"])
    assert secret.rpartition("_")[2] not in answer.content.decode()
    assert bearer(secret).get(f"tokens/{prefix(other)}").status_code == 404
    assert {row["name"] for row in caller(Role.ADMIN).get("tokens").json()["results"]} == {"mine", "other", "test"}


@pytest.mark.parametrize("scope", [Right.EVENTS, Right.HALT])
def test_a_token_rotates_itself_whatever_its_rights(scope: Right) -> None:
    expires = timezone.now() + timedelta(days=30)
    limits: dict[str, Any] = {"scopes": [scope], "networks": ["127.0.0.0/8"], "endpoints": ["chat"]}
    old = issue_token(owner(), "nightly", expires_at=expires, **limits)
    answer = bearer(old).send("POST", f"tokens/{prefix(old)}/rotate", {"hours": 2})
    assert answer.status_code == 201
    former, present = find_token(old), find_token(answer.json()["token"])
    assert former is not None
    assert former.expires_at is not None
    assert timedelta(hours=1) < former.expires_at - timezone.now() < timedelta(hours=2)
    assert present is not None
    assert {name: getattr(present, name) for name in limits} == limits
    assert AuditEvent.objects.get(verb="rotate").token == str(former)


def test_an_old_token_ends_at_once_where_there_is_no_overlap() -> None:
    old = issue_token(owner(), "nightly")
    assert bearer(old).send("POST", f"tokens/{prefix(old)}/rotate", {"hours": 0}).status_code == 201
    assert bearer(old).get("backends").status_code == 401


def test_no_token_rotates_another_as_that_may_do_more() -> None:
    narrow = issue_token(owner(), "narrow", scopes=[Right.READ])
    wide = issue_token(owner(), "wide")
    refused = bearer(narrow).send("POST", f"tokens/{prefix(wide)}/rotate", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "right-missing")
    refused = caller(Role.ADMIN).send("POST", f"tokens/{prefix(wide)}/rotate", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-itself")
    assert Token.objects.filter(user=owner()).count() == 2


def test_a_token_revokes_itself_and_an_admin_any() -> None:
    first, second = issue_token(owner(), "first", scopes=[Right.EVENTS]), issue_token(owner(), "second")
    refused = bearer(first).send("DELETE", f"tokens/{prefix(second)}")
    assert (refused.status_code, refused.json()["code"]) == (403, "right-missing")
    assert bearer(first).send("DELETE", f"tokens/{prefix(first)}").status_code == 204
    assert bearer(first).send("POST", "events", {"events": []}).status_code == 401
    assert caller(Role.ADMIN).send("DELETE", f"tokens/{prefix(second)}").status_code == 204
    assert bearer(second).get("backends").status_code == 401
    assert caller(Role.ADMIN).send("DELETE", f"tokens/{prefix(second)}").status_code == 409


def test_a_person_rotates_and_revokes_any_of_theirs() -> None:
    secret = issue_token(owner(), "nightly")
    browser = Client()
    browser.force_login(owner())
    answer = Caller(browser).send("POST", f"tokens/{prefix(secret)}/rotate", {})
    assert answer.status_code == 201
    assert Caller(browser).send("DELETE", f"tokens/{prefix(secret)}").status_code == 204
    assert find_token(answer.json()["token"]) is not None
