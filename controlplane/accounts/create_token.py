"""Create an API token."""

from datetime import datetime

from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role, User
from controlplane.storage.races import beside_others


def create_token(user: User, name: str, *, role: Role, expires_at: datetime | None, actor: Actor) -> str:
    """Create a token of `user` and return its only readable form.

    Raises `NotAllowed` when it would have a higher role than the actor.
    """
    actor.require(role)
    with beside_others():
        record(actor, "create", "token", name, after={"user": user.get_username(), "role": role})
        return issue_token(user, name, role=role, expires_at=expires_at)
