"""Who does something: a person, a token, or Sluice itself."""

from dataclasses import dataclass

from controlplane.models import Role, User
from controlplane.problems.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Actor:
    """The name that the audit trail keeps, and the role that permissions are checked against."""

    name: str
    role: Role

    def require(self, role: Role) -> None:
        """Raise `NotAllowed` unless the actor may do what `role` may."""
        if not self.role.includes(role):
            raise NotAllowed(
                "role-too-low",
                f"{self.name} has the role {self.role}, and this needs the role {role}.",
                next_step="Ask an admin for a higher role.",
            )


SLUICE = Actor("sluice", Role.ADMIN)
"""Sluice itself, when it acts by its own decision."""


def actor_of(user: User, *, token_role: Role | None = None) -> Actor:
    """The actor behind a logged-in user; a token may narrow the role, never widen it.

    Raises `NotAllowed` when nothing is allowed to both.
    """
    name, role = user.get_username(), Role(user.role)
    if token_role is None or token_role.includes(role):
        return Actor(name, role)
    if not role.includes(token_role):
        raise NotAllowed(
            "role-too-low",
            f"The token has the role {token_role}, which its owner {name} has not as a {role}.",
            next_step="Ask an admin for a higher role, or use another token.",
        )
    return Actor(name, token_role)
