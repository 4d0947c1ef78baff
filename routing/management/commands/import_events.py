"""`manage.py import_events FILE`: outcomes from a file; killed and run again it goes on where it was."""

import getpass
import hashlib
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from controlplane.audit.actors import Actor
from controlplane.models import Role
from controlplane.problems.errors import SluiceError, Unavailable
from routing.importing.receive import receive_part, register_import
from routing.importing.waiting import here, run_next
from routing.models import EventImport

PART_BYTES = 1 << 20
FOLLOW_SECONDS = 1.0

State = EventImport.State


class Command(BaseCommand):
    """Runs the import by itself, or follows the process that is at it."""

    help = "Import outcomes from a CSV, JSONL or Parquet file."
    # They would load all pages, which it needs nothing of.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file, or all that others have sent."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("file", nargs="?", type=Path, help="One that ends in .csv, .jsonl, .ndjson or .parquet.")
        which.add_argument("--waiting", action="store_true", help="Wait for files that were uploaded, and run them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and say how far it is; exit code 1 when it failed."""
        if options["waiting"]:
            run_next()
            return
        try:
            found = _begun(options["file"])
            while found.state in (State.WAITING, State.RUNNING):
                self._go_on(found)
        except (SluiceError, OSError) as error:
            self.stderr.write(f"{error.detail} {error.next_step}" if isinstance(error, SluiceError) else str(error))
            sys.exit(1)
        self._tell(found)
        sys.exit(1 if found.state == State.FAILED else 0)

    def _go_on(self, found: EventImport) -> None:
        from routing.importing.run import run_import

        try:
            mine = run_import(found, here())
        except Unavailable as error:
            mine = False
            self.stderr.write(f"{error.detail} {error.next_step}")
        found.refresh_from_db()
        if not mine:
            self._tell(found)
            time.sleep(FOLLOW_SECONDS)

    def _tell(self, found: EventImport) -> None:
        self.stdout.write(
            f"{found.get_state_display()}: {found.reached} of {found.rows or '?'} rows, {found.accepted} accepted, "
            f"{found.duplicates} known before, {found.refused} refused. {found.failure}"
        )
        if found.state == State.DONE:
            for problem in found.problems:
                self.stdout.write(f"line {problem['line']}: {problem['field']}: {problem['message']}")


def _begun(path: Path) -> EventImport:
    """The import of this file that is not done, or a new one. Raises `OSError`, and as `register_import`."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    actor = Actor(f"{getpass.getuser()} on the command line", Role.ADMIN)
    found = EventImport.objects.filter(digest=digest).exclude(state__in=(State.DONE, State.FAILED)).first()
    found = found or register_import(path.name, path.stat().st_size, actor=actor, digest=digest)
    with path.open("rb") as stream:
        stream.seek(found.received)
        while found.state == State.RECEIVING:
            found = receive_part(found, found.received, stream.read(PART_BYTES), actor=actor)
    return found
