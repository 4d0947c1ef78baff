"""What is wrong with one thing of a file, at the place where that stands."""

from collections.abc import Iterator

from rest_framework.exceptions import ValidationError

from controlplane.api.problems import validation_problems
from controlplane.problems.errors import FieldProblem, SluiceError
from experiments.specs.items import Item, unknown
from experiments.specs.kinds import kinds
from experiments.specs.reading import Path, at
from experiments.specs.schema import allowed, fields_around, knows
from routing.models.stored_lists import place_told

NAMED = {
    "backend": "backends",
    "standby": "backends",
    "fallback": "backends",
    "endpoint": "endpoints",
    "layer": "layers",
    "issuer": "issuers",
    "metric": "metrics",
}
"""What fields that name others are called, and of what kind these are."""

MOST_KEYS = 20


def placed(item: Item, error: SluiceError | ValidationError) -> tuple[FieldProblem, ...]:
    """The problems of an error, each with its place and what may stand there."""
    if isinstance(error, ValidationError):
        return tuple(_placed(item, each) for each in validation_problems(error))
    if not error.problems:
        return (at(item.place, item.shown_path, f"{error.detail} {error.next_step}"),)
    return tuple(_placed(item, each) for each in error.problems)


def unknown_fields(item: Item) -> Iterator[FieldProblem]:
    """Each name in a thing that is no field of it, however deep."""
    for path in item.document.keys:
        inner = path[len(item.path) :]
        if path[: len(item.path)] != item.path or not inner or not isinstance(path[-1], str):
            continue
        if not knows(path) and (names := fields_around(path)):
            place = item.document.key_place(path)
            shown = (*item.shown_path, *inner)
            yield at(place, shown, unknown(path[-1], names), f"one of {', '.join(names)}")


def _placed(item: Item, problem: FieldProblem) -> FieldProblem:
    inner = _path(item, problem.field)
    inner = (*inner, *place_told(problem.message)) if inner else inner
    place = item.document.place((*item.path, *inner))
    return at(place, (*item.shown_path, *inner), problem.message, _allowed((*item.path, *inner)))


def _allowed(path: Path) -> str:
    """What may stand there: of what names another the keys that there are."""
    plural = NAMED.get(str(path[-1]))
    if plural is None:
        return allowed(path)
    keys = kinds()[plural].rows.order_by("key").values_list("key", flat=True)[: MOST_KEYS + 1]
    listed = ", ".join(keys[:MOST_KEYS]) or "none is there yet"
    return f"the key of one of the {plural}: {listed}{' …' if len(keys) > MOST_KEYS else ''}"


def _path(item: Item, field: str) -> Path:
    """Where a problem is, from what it calls that; the thing itself where it is about more than a field."""
    steps: list[str | int] = []
    around: object = item.content
    for part in field.split("."):
        step = int(part) if isinstance(around, list) and part.isdecimal() else part
        if not knows((*item.path, *steps, step)):
            break
        steps.append(step)
        around = _inside(around, step)
    return tuple(steps)


def _inside(around: object, step: str | int) -> object:
    if isinstance(around, dict):
        return around.get(step)
    return around[step] if isinstance(around, list) and isinstance(step, int) and step < len(around) else None
