"""Bring what there is in line with a file, all of it or nothing; or find out what that would change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from rest_framework.exceptions import ValidationError

from controlplane.audit.actors import Actor
from controlplane.models import Right, Role
from controlplane.problems.errors import FieldProblem, InvalidInput, SluiceError
from experiments.specs.differences import Difference, differences
from experiments.specs.items import Item, read_items
from experiments.specs.placing import placed, unknown_fields
from experiments.specs.reading import CORRECT, sentence, unusable
from experiments.specs.touched import Touched, touched_by
from routing.publishing.publish import publish
from routing.publishing.together import published_later

Action = Literal["create", "change", "none"]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one thing of a file, where that stands, and whom it touches."""

    kind: str
    key: str
    action: Action
    line: int
    differences: tuple[Difference, ...]
    touches: Touched


def plan(content: bytes, *, actor: Actor) -> tuple[Change, ...]:
    """What applying a file would do, found out by doing it and taking it back; whoever may look may plan.

    Raises as `apply` does, but for `NotAllowed`.
    """
    actor.require(Right.READ)
    items = checked_items(content)
    with transaction.atomic():
        changes = _written(items, Actor(actor.name, Role.ADMIN, endpoints=actor.endpoints))
        transaction.set_rollback(True)
    return changes


def apply(content: bytes, *, actor: Actor) -> tuple[Change, ...]:
    """Write what a file describes, and publish it at once. What the file leaves out stays as it is.

    Raises `InvalidInput`, `Conflict` and `NotAllowed` with the place of each problem; then nothing is saved.
    """
    items = checked_items(content)
    with transaction.atomic():
        changes = _written(items, actor)
    changed = [change for change in changes if change.action != "none"]
    if changed:
        publish(f"{actor.name} applied a file of {len(changed)} changes")
    return changes


def checked_items(content: bytes) -> list[Item]:
    """All that a file describes, with no name in it that is none. Raises `InvalidInput` with each place."""
    items = read_items(content)
    problems = tuple(problem for item in items for problem in unknown_fields(item))
    if problems:
        raise unusable(problems)
    return items


def _written(items: Sequence[Item], actor: Actor) -> tuple[Change, ...]:
    """All of them, or an error that names every problem. In a transaction that whoever began it ends."""
    changes: list[Change] = []
    problems: list[FieldProblem] = []
    errors: list[SluiceError | ValidationError] = []
    with published_later():
        for item in items:
            try:
                changes.append(_change(item, actor))
            except (SluiceError, ValidationError) as error:
                errors.append(error)
                problems.extend(placed(item, error))
    if errors:
        raise _refusal(errors, tuple(problems))
    return tuple(changes)


def _change(item: Item, actor: Actor) -> Change:
    row = item.kind.rows.filter(key=item.key).first()
    before = None if row is None else item.kind.shown(row)
    item.kind.write(row, item.content, actor)
    present = item.kind.rows.get(key=item.key)
    found = tuple(differences(before or {}, item.kind.shown(present)))
    action: Action = "create" if before is None else "change" if found else "none"
    return Change(item.kind.noun, item.key, action, item.place.line, found, touched_by(present))


def _refusal(errors: Sequence[SluiceError | ValidationError], problems: tuple[FieldProblem, ...]) -> SluiceError:
    """Of the kind that all errors have in common; of one alone with its code."""
    of_kind = {type(error) if isinstance(error, SluiceError) else InvalidInput for error in errors}
    kind = of_kind.pop() if len(of_kind) == 1 else InvalidInput
    only = errors[0] if len(errors) == 1 else None
    code, next_step = (only.code, only.next_step) if isinstance(only, SluiceError) else ("spec-refused", CORRECT)
    return kind(code, sentence(problems), next_step=next_step, problems=problems)
