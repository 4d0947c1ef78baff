"""A database that takes no writes for a while, as one whose disk is full or that has become a copy."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def refusing_writes() -> Iterator[None]:
    """The test's own database refuses every write until the block ends; reads go on."""
    # PostgreSQL takes no way back within a transaction but that to a savepoint.
    before = transaction.savepoint()
    _ask("PRAGMA query_only = ON" if connection.vendor == "sqlite" else "SET LOCAL transaction_read_only = on")
    try:
        yield
    finally:
        # A write outside of an inner transaction has broken the test's own.
        transaction.set_rollback(False)
        transaction.savepoint_rollback(before)
        if connection.vendor == "sqlite":
            _ask("PRAGMA query_only = OFF")


def _ask(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
