"""Take an API token back."""

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role, Token
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
        record(actor, "revoke", "token", token.name, before={"user": token.user.get_username(), "role": token.role})
