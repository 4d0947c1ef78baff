"""Columns that are read whatever they hold: another release or a hand may have written what makes no sense here.

Such a value is read as an empty one of its kind, so that all that goes through it finds nothing, and says of itself
that it is broken, and why. Who must not go on without it looks for that; a save puts back what was there.
"""

import json
from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models.fields.json import KeyTransform
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from pydantic import TypeAdapter, ValidationError

MISSING = "missing-"

Row = TypeVar("Row", bound=models.Model)


class Broken:
    """A value that makes no sense: what is there in its place, and why that is none."""

    content: Any
    why: str

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)


class BrokenList(Broken, list[Any]):  # type: ignore[misc]
    """In the place of a list."""


class BrokenDict(Broken, dict[str, Any]):  # type: ignore[misc]
    """In the place of an object."""


LISTS: TypeAdapter[Any] = TypeAdapter(list[Any])
OBJECTS: TypeAdapter[Any] = TypeAdapter(dict[str, Any])


class LegibleField(models.JSONField):
    """JSON of a shape: a list, or an object where its default is one."""

    def __init__(self, *arguments: Any, shape: TypeAdapter[Any] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.is_object = self.default is dict
        self.shape = shape or (OBJECTS if self.is_object else LISTS)

    def deconstruct(self) -> Any:
        """To the database it is any JSON."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.JSONField", arguments, options

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What is there, or a broken value in its place."""
        if isinstance(expression, KeyTransform):
            return super().from_db_value(value, expression, connection)
        text = json.dumps(value) if value is not None and not isinstance(value, str | bytes) else value
        if text is None or (self.null and text == "null"):
            return None
        try:
            self.shape.validate_json(text, strict=True)
            return json.loads(text)
        except ValidationError as error:
            return self._broken(text, error.errors()[0])

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """A broken value is put back as it was."""
        found = value.content if isinstance(value, Broken) else value
        return super().get_db_prep_value(found, connection, prepared)

    def _broken(self, text: str | bytes, problem: Any) -> Broken:
        broken = BrokenDict() if self.is_object else BrokenList()
        place = ".".join(map(str, problem["loc"]))
        broken.why = f"{place}: {problem['msg']}" if place else problem["msg"]
        try:
            broken.content = json.loads(text)
        except ValueError:
            broken.content = text
        return broken


class _Legible(ForwardManyToOneDescriptor):  # type: ignore[type-arg]
    def __get__(self, instance: Any, cls: Any = None) -> Any:
        pk = None if instance is None else getattr(instance, self.field.attname)
        try:
            found = super().__get__(instance, cls)
        except self.field.remote_field.model.DoesNotExist:
            if pk is None:
                raise
            found = None
        return self._placeholder(pk) if found is None and pk is not None else found

    def _placeholder(self, pk: object) -> models.Model:
        """What stands for a row that is not there; it has a key that none has which is."""
        model: type[models.Model] = self.field.remote_field.model
        return model(pk=pk, key=f"{MISSING}{pk}", name="Missing")


if TYPE_CHECKING:
    LegibleKey = models.ForeignKey
else:

    class LegibleKey(models.ForeignKey):
        """A reference to a row with a key: where that is missing, something stands in its place that says so."""

        forward_related_accessor_class = _Legible

        def get_path_info(self, filtered_relation: Any = None) -> Any:
            """A join that leaves a row in whose other one is missing."""
            outer = copy(self)
            outer.null = True
            return [info._replace(join_field=outer) for info in super().get_path_info(filtered_relation)]

        def deconstruct(self) -> Any:
            """To the database it is any reference."""
            name, _, arguments, options = super().deconstruct()
            return name, "django.db.models.ForeignKey", arguments, options


class IllegibleError(ValueError):
    """A row that makes no sense; the message says why."""


def legible(row: Row) -> Row:
    """The row itself. Raises `IllegibleError` when a column of it makes no sense."""
    found = "; ".join(broken_fields(row))
    if found:
        raise IllegibleError(found)
    return row


def broken_sentence(row: models.Model) -> str:
    """What makes no sense of a row, in a sentence; empty where all of it does."""
    found = "; ".join(broken_fields(row))
    return f"Broken: {found}. Correct it, or remove it." if found else ""


def is_missing(thing: models.Model) -> bool:
    """Whether it only stands for a row that is not there."""
    return str(getattr(thing, "key", "")).startswith(MISSING) and thing._state.adding


def broken_fields(row: models.Model) -> Iterator[str]:
    """A sentence about each column of a row that makes no sense."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, Broken):
            yield f"its {field.verbose_name} cannot be read: {value.why}"
        elif isinstance(field, LegibleKey) and value is not None and is_missing(getattr(row, field.name)):
            yield f"its {field.verbose_name} is not there any more"
        elif isinstance(field, models.IntegerField) and isinstance(value, str | bytes | float):
            yield f"its {field.verbose_name} is not a whole number: {value!r}"
