"""Receiving a file: it is registered, then arrives in parts, each after the one before."""

import secrets
from pathlib import PurePath

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput, Unavailable
from routing.importing.files import LARGEST_FILE, write_part
from routing.models import EventImport

MOST_OPEN = 20
LONGEST_NAME = 200

State = EventImport.State
KINDS = {
    ".csv": EventImport.Kind.CSV,
    ".jsonl": EventImport.Kind.JSONL,
    ".ndjson": EventImport.Kind.JSONL,
    ".parquet": EventImport.Kind.PARQUET,
}


def register_import(name: str, size: int, *, actor: Actor, digest: str = "") -> EventImport:
    """Begin an import; its file comes by `receive_part`.

    Raises:
        InvalidInput: `file-kind`, its name does not end as one of a kind that is read; `file-size`.
        Conflict: `imports-open`, 20 others are not done.
        NotAllowed: the actor may not send outcomes.

    """
    actor.require(Right.EVENTS)
    kind = KINDS.get(PurePath(name).suffix.lower())
    if kind is None or len(name) > LONGEST_NAME:
        raise _wrong("file-kind", "name", f"Name a file that ends in {', '.join(KINDS)}, in 200 characters.")
    if not 0 < size <= LARGEST_FILE:
        raise _wrong("file-size", "size", f"A file has 1 to {LARGEST_FILE} bytes.")
    with transaction.atomic():
        if EventImport.objects.exclude(state__in=(State.DONE, State.FAILED)).count() >= MOST_OPEN:
            raise Conflict(
                "imports-open", f"{MOST_OPEN} imports are not done yet.", next_step="Wait until one is, then try again."
            )
        found = EventImport.objects.create(
            key=secrets.token_hex(8), name=name, kind=kind, size=size, digest=digest, actor=actor.name
        )
        record(actor, "import", "event-import", found.key, after={"name": name, "size": size})
    return found


def receive_part(found: EventImport, offset: int, part: bytes, *, actor: Actor) -> EventImport:
    """Take the part of a file that begins at `offset`; with the last one it waits to be read.

    Raises:
        Conflict: `part-elsewhere`, the file goes on at another place, which is told.
        InvalidInput: `part-too-long`, it goes beyond the size that was registered.
        Unavailable: `file-unwritable`, the disk does not take it.
        NotAllowed: the actor may not send outcomes.

    """
    actor.require(Right.EVENTS)
    if offset + len(part) > found.size:
        raise _wrong("part-too-long", "offset", f"The file has {found.size} bytes, as it was registered.")
    _require_place(found, offset)
    try:
        write_part(found, offset, part)
    except OSError as error:
        raise Unavailable(
            "file-unwritable",
            f"The part cannot be written: {error}",
            next_step="Free disk space and send it again.",
        ) from error
    reached = offset + len(part)
    state = State.WAITING if reached == found.size else State.RECEIVING
    moved = EventImport.objects.filter(pk=found.pk, state=State.RECEIVING, received=offset).update(
        received=F("received") + len(part), state=state, changed_at=timezone.now()
    )
    found.refresh_from_db()
    if not moved:
        _require_place(found, offset)
    return found


def _require_place(found: EventImport, offset: int) -> None:
    if found.state != State.RECEIVING or found.received != offset:
        raise Conflict(
            "part-elsewhere",
            f"The file is {found.state} and {found.received} of its {found.size} bytes are here.",
            next_step=f"Go on at offset={found.received}, or ask for the import's state.",
        )


def _wrong(code: str, field: str, message: str) -> InvalidInput:
    return InvalidInput(
        code, message, next_step="Correct it and send it again.", problems=(FieldProblem(field, message),)
    )
