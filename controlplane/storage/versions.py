"""Rows that people, pipelines and Sluice itself change at once.

A write locks the row, sets its own fields alone and counts up the row's version. It is a compare-and-swap on that
version, so that it holds also where a database has no locks of rows.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput, Outdated
from controlplane.storage import races


class Versioned(models.Model):
    """A row whose version counts its changes, from 1."""

    version = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Versioned)
Check = Callable[[Row], object]


def locked(thing: Row, *, version: int | None = None) -> Row:
    """The row as it is now; nobody else writes it until the transaction ends, inside which this must be called.

    With `version`, only when that is its present one. Raises `Missing` when it was removed, and `Outdated`.
    """
    present = races.locked(thing)
    if version is not None and present.version != version:
        raise outdated(thing)
    return present


def change(present: Row, changes: Mapping[str, Any], *checks: Check[Row]) -> bool:
    """Set these fields of a `locked` row and no others; False when all of them are as they should be.

    `checks` see the row as it would be and raise what speaks against it. Raises `InvalidInput` when the fields do not
    go together or the key would change, and `Conflict` when somebody wrote the row in spite of the lock.
    """
    changed = {name: value for name, value in changes.items() if getattr(present, name) != value}
    if not changed:
        return False
    if "key" in changed:
        raise renamed(present)
    for name, value in changed.items():
        setattr(present, name, value)
    for check in checks:
        check(present)
    check_together(present)
    swap(present, changed)
    return True


def swap(present: Versioned, fields: Mapping[str, Any]) -> None:
    """Write these fields of a `locked` row, and count up its version whether or not one of them differs.

    Raises `Conflict` when somebody wrote the row in spite of the lock.
    """
    rows = type(present)._default_manager.filter(pk=present.pk, version=present.version)
    if not rows.update(**fields, version=present.version + 1):
        next_step = "Read it again and repeat the change."
        raise Conflict("overtaken", f"The {_named(present)} was changed at the same time.", next_step=next_step)
    for name, value in {**fields, "version": present.version + 1}.items():
        setattr(present, name, value)


def outdated(thing: models.Model) -> Outdated:
    """The refusal of a change that was made of something older."""
    detail = f"The {_named(thing)} was changed since you read it; nothing of yours is saved."
    return Outdated("outdated", detail, next_step="Read it again, and decide anew what to change.")


def renamed(present: Versioned) -> InvalidInput:
    """The refusal of another key."""
    message = f"The key of the {_named(present)} stays as it is: links, tables and history refer to it."
    problems = (FieldProblem("key", message),)
    return InvalidInput("key-fixed", message, next_step="Change its `name`, or make another.", problems=problems)


def check_together(row: models.Model) -> None:
    """Raise `InvalidInput` when the fields of a row do not go together."""
    try:
        row.clean()
        row.validate_constraints()
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        problems = tuple(
            FieldProblem("body" if field == NON_FIELD_ERRORS else field, message)
            for field, messages in found.items()
            for message in messages
        )
        raise InvalidInput(
            "invalid-input", problems[0].message, next_step="Correct it and send it again.", problems=problems
        ) from error


def _named(thing: models.Model) -> str:
    return f"{thing._meta.verbose_name} {thing}"
