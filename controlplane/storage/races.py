"""Changes of rows beside those of others: a race that is lost is a refusal in words, not an error of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError

from controlplane.problems.errors import Conflict, FieldProblem, Missing

Row = TypeVar("Row", bound=models.Model)


@contextmanager
def beside_others() -> Iterator[None]:
    """One transaction. Raises `Conflict` when it does not go together with what somebody else saved meanwhile."""
    try:
        with transaction.atomic():
            yield
    except ProtectedError:
        raise
    except IntegrityError as error:
        raise Conflict(
            "overtaken",
            "Somebody else saved something at the same moment, and the two contradict each other.",
            next_step="Read it again and decide anew.",
        ) from error


def insert(row: models.Model) -> None:
    """Save a new row with a key, within a change. Raises `Conflict` when somebody was faster to take the key."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if not type(row)._default_manager.filter(key=getattr(row, "key", "")).exists():
            raise
        raise key_taken(row) from error


def key_taken(row: models.Model) -> Conflict:
    """Somebody was faster to take the key of a new row."""
    name = str(row._meta.verbose_name)
    detail = f"There is {'an' if name[0] in 'aeiou' else 'a'} {name} called {row} already."
    return Conflict("key-taken", detail, next_step="Choose another key.", problems=(FieldProblem("key", detail),))


def locked(row: Row) -> Row:
    """The row as it is now; nobody else changes it before the change ends. Raises `Missing` when it was removed."""
    # A key that others refer to never changes, so that rows which refer to this one may be written meanwhile.
    present = type(row)._default_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
    if present is None:
        detail = f"The {row._meta.verbose_name} {row} was removed."
        raise Missing("removed", detail, next_step="Check the list for what exists.")
    return present
