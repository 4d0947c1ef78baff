"""While the database takes no writes, who was let in stays in, and who is not is told what works."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from controlplane.accounts.tokens import find_token, issue_token
from controlplane.models import Role, Token, User
from controlplane.storage.database import impatient, with_reserve
from tests.databases import refusing_writes
from tests.visitors.roles import visitor

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def olga(password: str = "") -> User:
    user = User.objects.create(username="olga", role=Role.APPROVER)
    user.set_password(password)
    user.save()
    return user


def test_a_token_that_was_never_used_works() -> None:
    text = issue_token(olga(), "test")
    with refusing_writes():
        assert find_token(text) is not None
    assert Token.objects.get().last_used_at is None
    assert find_token(text) is not None
    assert Token.objects.get().last_used_at is not None


def test_a_session_goes_on() -> None:
    browser = visitor(Role.APPROVER)
    with refusing_writes():
        assert browser.get("/endpoints").status_code == 200


def test_who_logs_in_is_told_what_works() -> None:
    olga("correct horse")
    with refusing_writes():
        page = Client().post("/login", {"username": "olga", "password": "correct horse"})
    assert page.status_code == 503
    assert "Tokens work, and so does `manage.py kill-switch`." in page.content.decode()


def waits() -> str:
    """How long this connection waits for what others have locked."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout")
        return str(cursor.fetchone()[0])


def test_waiting_is_short_for_what_cannot_wait_and_as_before_afterwards() -> None:
    before = waits()
    with impatient(0.75):
        assert waits() in ("750", "750ms")
    assert waits() == before
    with pytest.raises(ZeroDivisionError), impatient(0.75):
        _ = 1 / 0
    assert waits() == before


def test_without_a_reserve_a_failure_is_one() -> None:
    with refusing_writes(), pytest.raises(DatabaseError), transaction.atomic():
        with_reserve(lambda: User.objects.create(username="olga"))
