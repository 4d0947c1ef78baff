"""Take an API token back."""

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role, Token, User
from controlplane.problems.errors import Conflict, NotAllowed


def revoke_token(token: Token, *, actor: Actor) -> None:
    """Make a token useless at once.

    Raises `NotAllowed` for somebody else's token, unless the actor is an admin, and `Conflict` when it is revoked.
    """
    if token.user.get_username() != actor.name and not actor.role.includes(Role.ADMIN):
        raise NotAllowed(
            "not-your-token",
            f"The token {token.name} belongs to somebody else.",
            next_step="Ask its owner or an admin to revoke it.",
        )
    with transaction.atomic():
        if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            raise Conflict(
                "already-revoked", f"The token {token.name} is revoked already.", next_step="There is nothing to do."
            )
        _record(token, actor)


def revoke_tokens(user: User, *, actor: Actor) -> list[str]:
    """Make all tokens of a person useless at once, within a change, and return what those are called that were not."""
    living = list(Token.objects.select_for_update().filter(user=user, revoked_at=None))
    Token.objects.filter(pk__in=[token.pk for token in living]).update(revoked_at=timezone.now())
    for token in living:
        _record(token, actor)
    return [str(token) for token in living]


def _record(token: Token, actor: Actor) -> None:
    record(actor, "revoke", "token", token.name, before={"user": token.user.get_username(), "role": token.role})
