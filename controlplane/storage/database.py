"""Writing to a database whose disk is full, or that others have locked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper

from controlplane.storage.reserve import get_reserve

SHORT_SECONDS = 2.0

Written = TypeVar("Written")


def with_reserve(write: Callable[[], Written]) -> Written:
    """Do a write that must not fail because the disk is full: again with the reserve, if the first attempt has no room.

    Raises `DatabaseError`.
    """
    try:
        return write()
    except DatabaseError:
        if not get_reserve().release_when_full():
            raise
        return write()


@contextmanager
def impatient(seconds: float = SHORT_SECONDS) -> Iterator[None]:
    """Give up what others have locked after so many seconds, by a `DatabaseError`: some things cannot wait."""
    with connection.cursor() as cursor:
        usual = _wait(cursor, f"{round(seconds * 1000)}")
    try:
        yield
    finally:
        # Whoever is away or in a broken transaction has forgotten it anyway.
        with suppress(DatabaseError), connection.cursor() as cursor:
            _wait(cursor, usual)


def _wait(cursor: CursorWrapper, milliseconds: str) -> str:
    """Set how long to wait; returns what it was."""
    if connection.vendor == "sqlite":
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
    else:
        cursor.execute("SELECT current_setting('lock_timeout')")
        usual = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [milliseconds])
    return str(usual)
