"""API tokens: who they let in, and what the database keeps of them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from controlplane.accounts.tokens import find_token, issue_token
from controlplane.models import Role, Token, User

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", role=Role.APPROVER)


def test_a_token_leads_to_its_user(user: User) -> None:
    text = issue_token(user, "pipeline")
    found = find_token(text)
    assert found is not None
    assert found.user == user
    assert Token.objects.get().last_used_at is not None


def test_the_database_does_not_hold_the_secret(user: User) -> None:
    secret = issue_token(user, "pipeline").rpartition("_")[2]
    stored = Token.objects.values().get()
    assert secret not in str(stored)


@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(1)}])
def test_a_dead_token_lets_nobody_in(user: User, change: dict[str, object]) -> None:
    text = issue_token(user, "pipeline")
    Token.objects.update(**change)
    assert find_token(text) is None


def test_a_token_dies_with_its_user(user: User) -> None:
    text = issue_token(user, "pipeline")
    user.is_active = False
    user.save()
    assert find_token(text) is None


@pytest.mark.parametrize(
    "forge", [lambda t: t[:-1], lambda t: t + "0", lambda t: "", lambda t: t.replace("slc", "abc")]
)
def test_a_changed_token_lets_nobody_in(user: User, forge: object) -> None:
    assert callable(forge)
    assert find_token(forge(issue_token(user, "pipeline"))) is None
