"""What admins do with the accounts of people: invite, change, deactivate, activate, take the password away.

Nobody does so with their own account, so that there is always an admin.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import Q

from controlplane.accounts.revoke_token import revoke_tokens
from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right, Role, User
from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput, NotAllowed
from controlplane.storage.races import beside_others

RESERVED = "sluice"
"""As the audit trail calls Sluice itself."""


def invite(name: str, *, role: Role, endpoints: Collection[str] = (), actor: Actor) -> User:
    """Make an account without a password, which the person sets by a link.

    Raises `NotAllowed`; `InvalidInput` when there is somebody of this name; `Conflict` when there has just come to be.
    """
    actor.require(Right.ADMIN)
    name = User.normalize_username(name).strip()
    if name.lower() == RESERVED or User.objects.filter(username__iexact=name).exists():
        detail = f"There is somebody called {name} already."
        problem = FieldProblem("username", detail)
        raise InvalidInput("name-taken", detail, next_step="Choose another name.", problems=(problem,))
    _check(role, endpoints)
    with beside_others():
        _require_admin(actor, User.objects.select_for_update().filter(username=actor.name))
        user = User(username=name, role=role, endpoints=sorted(endpoints))
        user.set_unusable_password()
        user.save(force_insert=True)
        record(actor, "invite", "account", name, after=_told(user))
    return user


def change_person(user: User, *, role: Role, endpoints: Collection[str], actor: Actor) -> None:
    """Give a person another role, or other endpoints; tokens of the person do no more than that from then on.

    Raises `NotAllowed`; `Conflict` for oneself; `InvalidInput` for an admin of some endpoints.
    """
    _check(role, endpoints)
    with _changing(user, actor) as present:
        before = _told(present)
        present.role, present.endpoints = role, sorted(endpoints)
        present.save(update_fields=["role", "endpoints"])
        record(actor, "change", "account", present.username, before=before, after=_told(present))


def set_active(user: User, *, active: bool, actor: Actor) -> None:
    """Let a person in, or no more: sessions and tokens open nothing meanwhile. Raises as `change_person` does."""
    with _changing(user, actor) as present:
        present.is_active = active
        if not present.has_usable_password():
            # So that no link from before lets in whom an admin kept out.
            present.set_unusable_password()
        present.save(update_fields=["is_active", "password"])
        record(actor, "activate" if active else "deactivate", "account", present.username)


def take_password(user: User, *, revoke: bool, actor: Actor) -> None:
    """End a person's sessions and, where `revoke` says so, tokens; a link lets the person set another password.

    Raises as `change_person` does.
    """
    with _changing(user, actor) as present:
        present.set_unusable_password()
        present.save(update_fields=["password"])
        revoked = revoke_tokens(present, actor=actor) if revoke else []
        record(actor, "take-password", "account", present.username, after={"revoked": revoked})


@contextmanager
def _changing(user: User, actor: Actor) -> Iterator[User]:
    if user.get_username() == actor.name:
        raise Conflict(
            "own-account",
            "Nobody changes what they may do themselves.",
            next_step="Ask another admin. Your password is changed by your name at the top of each page.",
        )
    with transaction.atomic():
        rows = User.objects.select_for_update().filter(Q(pk=user.pk) | Q(username=actor.name)).order_by("pk")
        people = {row.pk: row for row in rows}
        _require_admin(actor, people.values())
        yield people[user.pk]


def _require_admin(actor: Actor, people: Iterable[User]) -> None:
    """Of two admins who change each other at once the second is none any more."""
    actor.require(Right.ADMIN)
    present = next((person for person in people if person.username == actor.name), None)
    if present is not None and not (present.is_active and Role(present.role).includes(Role.ADMIN)):
        detail = f"{actor.name} was an admin until now."
        raise NotAllowed("account-changed", detail, next_step="Ask another admin.")


def _check(role: Role, endpoints: Collection[str]) -> None:
    if role is Role.ADMIN and endpoints:
        detail = "An admin manages accounts, which belong to no endpoint."
        problem = FieldProblem("endpoints", detail)
        raise InvalidInput("admin-limited", detail, next_step="Name no endpoint, or another role.", problems=(problem,))


def _told(user: User) -> dict[str, object]:
    return {"role": user.role, "endpoints": user.endpoints}
