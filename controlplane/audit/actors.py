"""Who does something: a person, a token, or Sluice itself."""

from dataclasses import dataclass

from controlplane.models import Right, Role, User
from controlplane.problems.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Actor:
    """The name that the audit trail keeps, and what permissions are checked against.

    `scopes` limit what the role may; None does not.
    """

    name: str
    role: Role
    scopes: frozenset[Right] | None = None

    def may(self, right: Right) -> bool:
        """Whether the actor has the right."""
        return right in self.role.rights and (self.scopes is None or right in self.scopes)

    def require(self, right: Right) -> None:
        """Raise `NotAllowed`, which names the right that is missing, unless the actor has it."""
        if not self.may(right):
            raise self._refusal(right)

    def _refusal(self, right: Right) -> NotAllowed:
        if right in self.role.rights:
            scopes = ", ".join(sorted(self.scopes or ()))
            detail = f"The token of {self.name} has the scopes {scopes}, and this needs the right {right}."
            return NotAllowed("right-missing", detail, next_step=f"Use a token with the scope {right}.")
        detail = f"{self.name} has the role {self.role}, and this needs the right {right}."
        roles = " or ".join(role.value for role in Role if right in role.rights)
        return NotAllowed("right-missing", detail, next_step=f"Ask an admin for the role {roles}.")


SLUICE = Actor("sluice", Role.ADMIN)
"""Sluice itself, when it acts by its own decision."""


def actor_of(user: User, *, token_role: Role | None = None, scopes: frozenset[Right] | None = None) -> Actor:
    """The actor behind a logged-in user; a token may narrow the role and its rights, never widen them.

    Raises `NotAllowed` when nothing is allowed to both.
    """
    name, role = user.get_username(), Role(user.role)
    if token_role is None or token_role.includes(role):
        return Actor(name, role, scopes)
    if not role.includes(token_role):
        raise NotAllowed(
            "right-missing",
            f"The token has the role {token_role}, which its owner {name} has not as a {role}.",
            next_step="Ask an admin for a higher role, or use another token.",
        )
    return Actor(name, token_role, scopes)
