"""A person's account as it is now, for changes that were begun by what it was when the request came."""

from controlplane.models import User
from controlplane.problems.errors import NotAllowed


def present_person(user: User) -> User:
    """The row, locked until the change ends, so that what takes an account away waits or is seen.

    Call it within a transaction. Raises `NotAllowed` when the account was deactivated, or its password changed or
    taken away, since `user` was read.
    """
    present = User.objects.select_for_update().get(pk=user.pk)
    if not present.is_active or present.password != user.password:
        raise NotAllowed(
            "account-changed",
            f"The account {present.get_username()} was deactivated, or its password changed, meanwhile.",
            next_step="Log in again, or ask an admin.",
        )
    return present
