"""Imports that are to be run: whose file is here, and those that somebody died over."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from controlplane.problems.errors import SluiceError
from controlplane.settings import get_environment
from controlplane.storage.redis_connections import get_redis
from routing.importing.files import FOLDER, forget_file
from routing.models import EventImport

if TYPE_CHECKING:
    from routing.importing.run import Place

PAUSE_SECONDS = 2.0
ARRIVES_WITHIN = timedelta(days=1)

State = EventImport.State
OPEN = (State.RECEIVING, State.WAITING, State.RUNNING)
log = structlog.get_logger(__name__)


def here() -> "Place":
    """Where outcomes of this installation go."""
    from routing.importing.run import Place

    environment = get_environment()
    return Place(get_redis(), environment.lake_url, bytes.fromhex(environment.unit_key.get_secret_value()))


def run_waiting(place: "Place") -> None:
    """Run each import whose file is here, the oldest first; one that must wait keeps no other from its turn."""
    from routing.importing.run import run_import

    for found in _waiting().order_by("pk"):
        try:
            run_import(found, place)
        except SluiceError as error:
            log.warning("an import waits", key=found.key, code=error.code, reason=error.detail)


def run_next() -> None:
    """Wait until there are imports to be run, then run them.

    What reads files and the lake takes 100 MB, and is loaded when it is needed; the process manager begins anew
    with none of it.
    """
    _forget_strays()
    while not _found_waiting():
        time.sleep(PAUSE_SECONDS)
    run_waiting(here())


def _found_waiting() -> bool:
    try:
        _forget_late()
        return _waiting().exists()
    except DatabaseError as error:
        log.warning("imports wait for the database", reason=str(error))
        return False


def _waiting() -> QuerySet[EventImport]:
    return EventImport.objects.filter(state__in=(State.WAITING, State.RUNNING))


def _forget_late() -> None:
    """Give up files that stopped arriving."""
    late = EventImport.objects.filter(state=State.RECEIVING, changed_at__lt=timezone.now() - ARRIVES_WITHIN)
    for found in late:
        failure = f"Of its {found.size} bytes {found.received} came, and none for a day. Import it again."
        if EventImport.objects.filter(pk=found.pk, state=State.RECEIVING).update(state=State.FAILED, failure=failure):
            forget_file(found)


def _forget_strays() -> None:
    """Remove files of imports that ended just before somebody died."""
    folder = get_environment().data_directory / FOLDER
    wanted = set(EventImport.objects.filter(state__in=OPEN).values_list("key", flat=True))
    for path in folder.glob("*") if folder.exists() else ():
        if path.name not in wanted:
            path.unlink(missing_ok=True)
