"""Change a person's password, which ends what others may have opened with the old one."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from controlplane.accounts.present_person import present_person
from controlplane.accounts.revoke_token import revoke_tokens
from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right, User
from controlplane.problems.errors import InvalidInput


def change_password(user: User, password: str, *, revoke: bool, actor: Actor) -> int:
    """Set a password and, where `revoke` says so, take all tokens of the person back; return how many those were.

    Sessions of the person end, as they hold for one password. Raises `InvalidInput` for a password that is easy to
    guess, and `NotAllowed` for somebody else's, unless the actor manages accounts, and where the account was changed
    meanwhile.
    """
    if user.get_username() != actor.name:
        actor.require(Right.ADMIN)
    _check(password, user)
    with transaction.atomic():
        present_person(user)
        user.set_password(password)
        user.save(update_fields=["password"])
        revoked = revoke_tokens(user, actor=actor) if revoke else []
        record(actor, "change-password", "account", user.get_username(), after={"revoked": revoked})
    return len(revoked)


def _check(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        detail = " ".join(error.messages)
        raise InvalidInput("weak-password", detail, next_step="Choose another password.") from error
