"""Put a new API token in the place of an old one, which goes on for a while."""

from datetime import timedelta

from django.utils import timezone

from controlplane.accounts.present_person import present_person
from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right, Role, Token
from controlplane.problems.errors import Conflict, NotAllowed
from controlplane.storage.races import beside_others

LONGEST_OVERLAP_HOURS = 720
USUAL_OVERLAP_HOURS = 24


def rotate_token(token: Token, *, overlap: timedelta, actor: Actor) -> str:
    """Issue another that may do the same and is valid for as long, end the old one after `overlap`, at its own end at
    the latest, and return the only readable form of the new one.

    Raises `NotAllowed` for somebody else's token, as who rotates one holds it then, and for one that may more than the
    actor does now; `Conflict` for one that opens nothing any more.
    """
    if token.user.get_username() != actor.name:
        raise NotAllowed(
            "not-your-token",
            f"The token {token.name} belongs to somebody else.",
            next_step="Ask its owner to rotate it, or revoke it.",
        )
    for right in sorted(token.scopes or Role(token.role).rights):
        actor.require_anywhere(Right(right))
    if token.workload:
        raise Conflict("token-of-workload", f"The token {token.name} is a job's.", next_step="Exchange its JWT again.")
    now = timezone.now()
    with beside_others():
        present_person(token.user)
        present = Token.objects.select_for_update().get(pk=token.pk)
        if present.revoked_at or (present.expires_at and present.expires_at <= now):
            raise Conflict(
                "token-dead", f"The token {token.name} is revoked or expired.", next_step="Create another instead."
            )
        end = present.expires_at and now + (present.expires_at - present.created_at)
        ends = min(filter(None, (present.expires_at, now + overlap)))
        Token.objects.filter(pk=token.pk).update(expires_at=ends)
        record(actor, "rotate", "token", token.name, after={"old": str(token), "old_ends": ends.isoformat()})
        return issue_token(
            present.user,
            present.name,
            role=Role(present.role),
            scopes=[Right(scope) for scope in present.scopes],
            networks=present.networks,
            endpoints=present.endpoints,
            expires_at=end,
        )
