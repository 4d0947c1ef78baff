"""What each role may do, and that a token never widens one."""

import pytest

from controlplane.audit.actors import Actor, actor_of
from controlplane.models import Right, Role, User
from controlplane.problems.errors import NotAllowed


@pytest.mark.parametrize(
    ("has", "needs", "may"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.OPERATOR, False),
        (Role.OPERATOR, Role.VIEWER, True),
        (Role.OPERATOR, Role.EDITOR, False),
        (Role.EDITOR, Role.OPERATOR, True),
        (Role.EDITOR, Role.APPROVER, False),
        (Role.APPROVER, Role.EDITOR, True),
        (Role.APPROVER, Role.ADMIN, False),
        (Role.ADMIN, Role.APPROVER, True),
        (Role.SENDER, Role.SENDER, True),
        (Role.SENDER, Role.VIEWER, False),
        (Role.SENDER, Role.OPERATOR, False),
        (Role.VIEWER, Role.SENDER, False),
        (Role.REPORTER, Role.VIEWER, True),
        (Role.REPORTER, Role.SENDER, True),
        (Role.REPORTER, Role.OPERATOR, False),
        (Role.OPERATOR, Role.REPORTER, False),
        (Role.EDITOR, Role.REPORTER, True),
    ],
)
def test_a_role_includes_those_below_it(has: Role, needs: Role, may: bool) -> None:
    assert has.includes(needs) is may


def test_a_right_that_is_missing_is_named_with_who_has_it() -> None:
    with pytest.raises(NotAllowed, match="ada has the role viewer, and this needs the right start") as caught:
        Actor("ada", Role.VIEWER).require(Right.START)
    assert caught.value.next_step == "Ask an admin for the role approver or admin."
    limited = Actor("ada", Role.APPROVER, frozenset({Right.READ, Right.HALT}))
    limited.require(Right.HALT)
    with pytest.raises(NotAllowed, match="has the scopes halt, read, and this needs the right start") as caught:
        limited.require(Right.START)
    assert caught.value.next_step == "Ask ada for a token with the scope start."


def test_scopes_give_no_right_that_the_role_has_not() -> None:
    assert not Actor("ada", Role.VIEWER, frozenset({Right.PROMOTE})).may(Right.PROMOTE)


@pytest.mark.parametrize(
    ("role", "token_role", "acts_as"),
    [
        (Role.APPROVER, Role.VIEWER, Role.VIEWER),
        (Role.APPROVER, Role.ADMIN, Role.APPROVER),
        (Role.EDITOR, Role.APPROVER, Role.EDITOR),
        (Role.VIEWER, Role.APPROVER, Role.VIEWER),
        (Role.ADMIN, None, Role.ADMIN),
        (Role.EDITOR, Role.SENDER, Role.SENDER),
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


@pytest.mark.parametrize(
    ("person", "token", "both"),
    [
        ([], None, None),
        (["chat"], None, {"chat"}),
        ([], {"chat"}, {"chat"}),
        (["chat", "search"], {"chat", "other"}, {"chat"}),
        (["chat"], {"other"}, set()),
    ],
)
def test_endpoints_are_those_of_the_person_and_of_the_token(
    person: list[str], token: set[str] | None, both: set[str] | None
) -> None:
    user = User(username="ada", role=Role.APPROVER, endpoints=person)
    actor = actor_of(user, token_role=Role.APPROVER, endpoints=None if token is None else frozenset(token))
    assert actor.endpoints == both


def test_a_person_of_some_endpoints_looks_at_everything_and_is_told_where_a_right_is_missing() -> None:
    actor = Actor("ada", Role.APPROVER, endpoints=frozenset({"chat"}))
    actor.require(Right.READ)
    actor.require(Right.START, endpoint="chat")
    with pytest.raises(NotAllowed, match="limited to the endpoints chat, and this belongs to the endpoint other"):
        actor.require(Right.START, endpoint="other")
    with pytest.raises(NotAllowed, match="this belongs to no endpoint alone") as caught:
        actor.require(Right.HALT)
    assert "ask an admin for more endpoints" in caught.value.next_step
