"""A person's account as it is now, for changes that were begun by what it was when the request came."""

from controlplane.models import User
from controlplane.problems.errors import NotAllowed

COMPARED = ("password", "role", "endpoints")


def present_person(user: User) -> User:
    """The row, locked until the change ends, so that what takes an account away waits or is seen.

    Call it within a transaction. Raises `NotAllowed` when since `user` was read the account was deactivated, its
    password changed or taken away, or its role or endpoints changed.
    """
    present = User.objects.select_for_update().get(pk=user.pk)
    if not present.is_active or any(getattr(present, name) != getattr(user, name) for name in COMPARED):
        raise NotAllowed(
            "account-changed",
            f"The account {present.get_username()} was deactivated, or its password, role or endpoints changed, "
            "meanwhile.",
            next_step="Log in again, or ask an admin.",
        )
    return present
