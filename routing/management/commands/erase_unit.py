"""`manage.py erase_unit <unit>`: takes all rows of a user out of the lake, also while the web app is down."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.models import Role
from controlplane.problems.errors import SluiceError
from routing.erasure.ask_erasure import ask_erasure
from routing.erasure.carry_out import carry_out


class Command(BaseCommand):
    """Asks for it and carries it out by itself, with the rights of whoever may run it."""

    help = "Take all rows of a unit out of the lake, out of its old versions too."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom and why."""
        parser.add_argument("unit", type=int, help="The keyed hash, as column unit of the lake has it.")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="Stays in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase it and say what was there; exit code 1 when it was refused or could not be done."""
        actor = Actor(f"{getpass.getuser()} on the command line", Role.ADMIN)
        try:
            erasure = ask_erasure(options["unit"], actor=actor, reason=options["reason"])
        except SluiceError as error:
            self.stderr.write(f"{error.detail} {error.next_step}")
            sys.exit(1)
        is_done = carry_out(erasure, timezone.now())
        erasure.refresh_from_db()
        if not is_done:
            why = erasure.problem or "A worker is at it."
            self.stderr.write(f"Not erased yet: {why} A worker tries again within a minute.")
            sys.exit(1)
        self.stdout.write(f"Erased {erasure.requests} requests and {erasure.outcomes} outcomes.")
