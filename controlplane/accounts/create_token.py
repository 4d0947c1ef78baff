"""Create an API token."""

from collections.abc import Collection
from datetime import datetime

from controlplane.accounts.present_person import present_person
from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right, Role, User
from controlplane.storage.races import beside_others


def create_token(
    user: User,
    name: str,
    *,
    role: Role,
    scopes: Collection[Right] = (),
    networks: Collection[str] = (),
    endpoints: Collection[str] = (),
    expires_at: datetime | None,
    actor: Actor,
) -> str:
    """Create a token of `user`, limited by what is not empty, and return its only readable form.

    Raises `NotAllowed` when it would have a right that the actor has not, or the account was changed meanwhile.
    """
    for right in sorted(scopes or role.rights):
        actor.require_anywhere(right)
    told = {
        "user": user.get_username(),
        "role": role,
        "scopes": sorted(scopes),
        "networks": list(networks),
        "endpoints": sorted(endpoints),
    }
    with beside_others():
        present_person(user)
        record(actor, "create", "token", name, after=told)
        return issue_token(
            user, name, role=role, scopes=scopes, networks=networks, endpoints=endpoints, expires_at=expires_at
        )
