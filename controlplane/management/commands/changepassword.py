"""`manage.py changepassword <name>`: sets somebody's password, also while the web app is down."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from controlplane.accounts.change_password import change_password
from controlplane.audit.actors import Actor
from controlplane.models import Role, User
from controlplane.problems.errors import InvalidInput, SluiceError


class Command(BaseCommand):
    """Asks for the password, or reads it from a pipe, with the rights of whoever may run it."""

    help = "Set a person's password; their sessions end, and their API tokens too unless told otherwise."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and what becomes of the tokens."""
        parser.add_argument("name", help="What the person logs in as.")
        parser.add_argument("--keep-tokens", action="store_true", help="API tokens of the person go on.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set it; exit code 1 with a sentence when it was refused."""
        actor = Actor(f"{getpass.getuser()} on the command line", Role.ADMIN)
        try:
            user = _user(options["name"])
            revoked = change_password(user, _password(), revoke=not options["keep_tokens"], actor=actor)
        except SluiceError as error:
            self.stderr.write(f"{error.detail} {error.next_step}")
            sys.exit(1)
        told = "Their tokens go on." if options["keep_tokens"] else f"{revoked} of their tokens were revoked."
        self.stdout.write(f"The password of {user} is changed, and their sessions ended. {told}")


def _user(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        known = ", ".join(User.objects.values_list("username", flat=True)) or "none"
        raise InvalidInput("not-found", f"There is nobody called {name}.", next_step=f"Known are: {known}.")
    return found


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first, second = getpass.getpass("New password: "), getpass.getpass("Once more: ")
    if first != second:
        raise InvalidInput("passwords-differ", "The two passwords differ.", next_step="Type the same one twice.")
    return first
