"""`manage.py up`: everything on this machine, in the foreground."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from controlplane.install.installation import Installation
from controlplane.problems.errors import SluiceError
from controlplane.settings import get_environment


class Command(BaseCommand):
    """Sets an installation up, starts its processes and waits until Ctrl-C."""

    help = "Start all of Sluice on this machine and stop it with Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until interrupted; exit code 1 with a sentence when something cannot start."""
        try:
            Installation(get_environment(), self._say).run()
        except SluiceError as error:
            self.stderr.write(f"{error.detail} {error.next_step}")
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
