"""What each role may do, and that a token never widens one."""

import pytest

from controlplane.audit.actors import Actor, actor_of
from controlplane.models import Role, User
from controlplane.problems.errors import NotAllowed


@pytest.mark.parametrize(
    ("has", "needs", "may"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.OPERATOR, False),
        (Role.OPERATOR, Role.OPERATOR, True),
        (Role.OPERATOR, Role.ADMIN, False),
        (Role.ADMIN, Role.OPERATOR, True),
        (Role.SENDER, Role.SENDER, True),
        (Role.SENDER, Role.VIEWER, False),
        (Role.SENDER, Role.OPERATOR, False),
        (Role.VIEWER, Role.SENDER, False),
        (Role.REPORTER, Role.VIEWER, True),
        (Role.REPORTER, Role.SENDER, True),
        (Role.REPORTER, Role.OPERATOR, False),
        (Role.OPERATOR, Role.REPORTER, True),
    ],
)
def test_a_role_includes_those_below_it(has: Role, needs: Role, may: bool) -> None:
    actor = Actor("ada", has)
    if may:
        actor.require(needs)
    else:
        with pytest.raises(NotAllowed) as caught:
            actor.require(needs)
        assert needs in caught.value.detail


@pytest.mark.parametrize(
    ("role", "token_role", "acts_as"),
    [
        (Role.OPERATOR, Role.VIEWER, Role.VIEWER),
        (Role.OPERATOR, Role.ADMIN, Role.OPERATOR),
        (Role.VIEWER, Role.OPERATOR, Role.VIEWER),
        (Role.ADMIN, None, Role.ADMIN),
        (Role.OPERATOR, Role.SENDER, Role.SENDER),
        (Role.ADMIN, Role.REPORTER, Role.REPORTER),
        (Role.VIEWER, Role.REPORTER, Role.VIEWER),
    ],
)
def test_a_token_narrows_a_role_and_never_widens_it(role: Role, token_role: Role | None, acts_as: Role) -> None:
    assert actor_of(User(username="ada", role=role), token_role=token_role).role is acts_as


def test_the_token_of_a_sender_opens_nothing_once_its_owner_may_only_look() -> None:
    with pytest.raises(NotAllowed) as caught:
        actor_of(User(username="ada", role=Role.VIEWER), token_role=Role.SENDER)
    assert "sender" in caught.value.detail
