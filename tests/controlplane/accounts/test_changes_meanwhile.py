"""What was begun by an account as it was ends by what the account is: each change that waited looks again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator

from controlplane.accounts.change_password import change_password
from controlplane.accounts.create_token import create_token
from controlplane.accounts.people import change_person, invite, set_active, take_password
from controlplane.accounts.rotate_token import rotate_token
from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import SLUICE, actor_of
from controlplane.models import Role, Token, User
from controlplane.problems.errors import InvalidInput, NotAllowed
from tests.visitors.roles import text

pytestmark = pytest.mark.django_db


def person(name: str, role: Role = Role.APPROVER) -> User:
    return User.objects.create_user(name, password="a good long one", role=role)


def take(user: User) -> None:
    take_password(user, revoke=True, actor=SLUICE)


def deactivate(user: User) -> None:
    set_active(user, active=False, actor=SLUICE)


def demote(user: User) -> None:
    change_person(user, role=Role.VIEWER, endpoints=(), actor=SLUICE)


def limit(user: User) -> None:
    change_person(user, role=Role.APPROVER, endpoints=["chat"], actor=SLUICE)


@pytest.mark.parametrize("lock_out", [take, deactivate, demote, limit])
def test_who_was_locked_out_meanwhile_gets_nothing(lock_out: Any) -> None:
    thief = person("thief")
    issue_token(thief, "old", role=Role.APPROVER, expires_at=None)
    lock_out(User.objects.get())
    Token.objects.update(revoked_at=None)

    token = Token.objects.select_related("user").get()
    token.user = thief
    begun: list[Callable[[], object]] = [
        lambda: create_token(thief, "new", role=Role.VIEWER, expires_at=None, actor=actor_of(thief)),
        lambda: rotate_token(token, overlap=timedelta(hours=1), actor=actor_of(thief)),
        lambda: change_password(thief, "another good one", revoke=False, actor=actor_of(thief)),
    ]
    for each in begun:
        with pytest.raises(NotAllowed) as caught:
            each()
        assert caught.value.code == "account-changed"
    assert Token.objects.count() == 1
    assert not User.objects.get().check_password("another good one")


def test_of_two_admins_who_change_each_other_one_stays() -> None:
    ann, bob = person("ann", Role.ADMIN), person("bob", Role.ADMIN)
    change_person(bob, role=Role.VIEWER, endpoints=(), actor=actor_of(ann))
    begun: list[Callable[[], object]] = [
        lambda: change_person(ann, role=Role.VIEWER, endpoints=(), actor=actor_of(bob)),
        lambda: set_active(ann, active=False, actor=actor_of(bob)),
        lambda: take_password(ann, revoke=True, actor=actor_of(bob)),
        lambda: invite("eve", role=Role.ADMIN, actor=actor_of(bob)),
    ]
    for each in begun:
        with pytest.raises(NotAllowed):
            each()
    assert User.objects.get(username="ann").role == Role.ADMIN
    assert not User.objects.filter(username="eve").exists()


def test_a_link_from_before_a_deactivation_lets_nobody_in(client: Any) -> None:
    user = invite("olga", role=Role.EDITOR, actor=SLUICE)
    link = f"/join/{user.pk}/{default_token_generator.make_token(user)}"
    assert "Welcome, olga" in text(client, link)
    deactivate(user)
    set_active(user, active=True, actor=SLUICE)
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("name", ["ｓluice", " Sluice ", "ＯＬＧＡ"])
def test_names_are_as_who_logs_in_writes_them(name: str) -> None:
    invite("olga", role=Role.VIEWER, actor=SLUICE)
    with pytest.raises(InvalidInput):
        invite(name, role=Role.VIEWER, actor=SLUICE)
