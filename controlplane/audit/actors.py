"""Who does something: a person, a token, or Sluice itself."""

from collections.abc import Collection
from dataclasses import dataclass

from controlplane.models import LOOKING, Right, Role, User
from controlplane.problems.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Actor:
    """The name that the audit trail keeps, and what permissions are checked against.

    `scopes` limit what the role may, and `endpoints` where, by their keys; None does not.
    """

    name: str
    role: Role
    scopes: frozenset[Right] | None = None
    endpoints: frozenset[str] | None = None

    def may(self, right: Right) -> bool:
        """Whether the actor has the right, if only for some endpoints."""
        return right in self.role.rights and (self.scopes is None or right in self.scopes)

    def require_anywhere(self, right: Right) -> None:
        """Raise `NotAllowed`, which names the right that is missing, unless the actor has it for some endpoint."""
        if not self.may(right):
            raise self._refusal(right)

    def require(self, right: Right, *, endpoint: str | None = None) -> None:
        """Raise `NotAllowed` unless the actor has the right for what belongs to this endpoint, or to none of them."""
        self.require_anywhere(right)
        if right not in LOOKING:
            self.require_endpoint(endpoint)

    def require_endpoints(self, endpoints: Collection[str]) -> None:
        """Raise `NotAllowed` unless the actor is let to all of these; none of them stand for all there are."""
        for endpoint in endpoints or (None,):
            self.require_endpoint(endpoint)

    def is_let_to(self, endpoint: str | None) -> bool:
        """Whether the actor may act on this endpoint; None stands for all."""
        return self.endpoints is None or endpoint in self.endpoints

    def require_endpoint(self, endpoint: str | None) -> None:
        """Raise `NotAllowed`, which names the endpoints, unless the actor is let to this one; None stands for all."""
        if self.is_let_to(endpoint):
            return
        own = ", ".join(sorted(self.endpoints or ())) or "that it shares with its owner, which are none"
        belongs = f"belongs to the endpoint {endpoint}" if endpoint else "belongs to no endpoint alone"
        raise NotAllowed(
            "endpoint-missing",
            f"{self.name} is limited to the endpoints {own}, and this {belongs}.",
            next_step="Use a token for it, or ask an admin for more endpoints.",
        )

    def _refusal(self, right: Right) -> NotAllowed:
        if right in self.role.rights:
            scopes = ", ".join(sorted(self.scopes or ()))
            detail = f"The token of {self.name} has the scopes {scopes}, and this needs the right {right}."
            return NotAllowed("right-missing", detail, next_step=f"Ask {self.name} for a token with the scope {right}.")
        detail = f"{self.name} has the role {self.role}, and this needs the right {right}."
        roles = " or ".join(role.value for role in Role if right in role.rights)
        return NotAllowed("right-missing", detail, next_step=f"Ask an admin for the role {roles}.")


SLUICE = Actor("sluice", Role.ADMIN)
"""Sluice itself, when it acts by its own decision."""


def actor_of(
    user: User,
    *,
    token_role: Role | None = None,
    scopes: frozenset[Right] | None = None,
    endpoints: frozenset[str] | None = None,
) -> Actor:
    """The actor behind a logged-in user; a token may narrow the role, its rights and where they hold, never widen them.

    Raises `NotAllowed` when nothing is allowed to both.
    """
    name, role = user.get_username(), Role(user.role)
    endpoints = _within(frozenset(user.endpoints) or None, endpoints)
    if token_role is None or token_role.includes(role):
        return Actor(name, role, scopes, endpoints)
    if not role.includes(token_role):
        raise NotAllowed(
            "right-missing",
            f"The token has the role {token_role}, which its owner {name} has not as a {role}.",
            next_step="Ask an admin for a higher role, or use another token.",
        )
    return Actor(name, token_role, scopes, endpoints)


def _within(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """What both let to; None where neither limits anything."""
    limits = [each for each in (one, other) if each is not None]
    return frozenset.intersection(*limits) if limits else None
