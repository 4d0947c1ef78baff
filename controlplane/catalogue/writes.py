"""What people do with a row that has a key: each as one transaction, by an editor, with its line in the audit trail.

Where more comes of it than the row, the write stands around these.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import models
from django.forms.models import model_to_dict

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.storage.keyed import Keyed
from controlplane.storage.races import beside_others, insert
from controlplane.storage.versions import change, check_together, locked

Row = TypeVar("Row", bound=Keyed)


def add(row: Row, *, actor: Actor, verb: str = "register", check: Callable[[Row], object] = lambda row: None) -> None:
    """Save a new row, unless `check` raises what speaks against it.

    Raises `NotAllowed`; `InvalidInput` when its fields do not go together; `Conflict` when its key has just been taken.
    """
    actor.require(Right.PLAN, endpoint=row.belongs_to)
    with beside_others():
        check(row)
        check_together(row)
        insert(row)
        record(actor, verb, kind_of(row), row.key, after=snapshot(row))


def edit(
    row: Row,
    changes: Mapping[str, Any],
    *,
    actor: Actor,
    version: int | None = None,
    check: Callable[[Row, Mapping[str, Any]], object] = lambda row, before: None,
) -> bool:
    """Set these fields, and no others, of the row as it is now; with `version`, only when that is the present one.

    `check` sees it as it would be and what it was, and raises what speaks against it. Returns whether anything is
    other than it was. Raises `NotAllowed`; `Missing` and `Outdated`; `InvalidInput`. Then nothing is saved.
    """
    actor.require(Right.PLAN, endpoint=row.belongs_to)
    with beside_others():
        present = locked(row, version=version)
        before = snapshot(present)
        if not change(present, changes, lambda changed: check(changed, before)):
            return False
        record(actor, "edit", kind_of(row), present.key, before=before, after=snapshot(present))
    return True


def remove(
    row: Row, *, actor: Actor, version: int | None = None, check: Callable[[Row], object] = lambda row: None
) -> None:
    """Delete a row; with `version`, only when that is its present one.

    `check` raises what speaks against it. Raises `NotAllowed`; `Missing` and `Outdated`. Then nothing is done.
    """
    actor.require(Right.PLAN, endpoint=row.belongs_to)
    with beside_others():
        present = locked(row, version=version)
        check(present)
        record(actor, "remove", kind_of(row), present.key, before=snapshot(present))
        present.delete()


def kind_of(row: models.Model) -> str:
    """What the audit trail calls its kind."""
    return str(row._meta.model_name)


def snapshot(row: models.Model) -> dict[str, Any]:
    """All editable fields of a row as JSON can hold them; other rows by their keys."""
    fields = model_to_dict(row)
    others = {name: getattr(row, name) for name in fields if isinstance(getattr(row, name), models.Model)}
    return {**fields, **{name: other.key for name, other in others.items()}}
