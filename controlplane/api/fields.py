"""What all serializers share."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.db import DatabaseError
from django.db.models import JSONField, Model
from rest_framework import serializers
from rest_framework.fields import empty

from controlplane.storage.legible_columns import broken_sentence

Row = TypeVar("Row", bound=Model)

OTHER_KINDS: tuple[tuple[Any, Callable[[Any], bool], str], ...] = (
    (
        (serializers.IntegerField, serializers.FloatField),
        lambda value: isinstance(value, bool | str),
        "Send a number, without quotes.",
    ),
    (
        serializers.BooleanField,
        lambda value: value is not None and not isinstance(value, bool),
        "Send true or false, without quotes.",
    ),
)


class SayableJSONField(serializers.JSONField):
    """JSON that is stored. What a database takes and no answer can say, like 1e999 and half a letter, is broken."""

    def to_representation(self, value: Any) -> Any:
        """As it is stored. Raises `ValueError`."""
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        return super().to_representation(value)


class LegibleModelSerializer(serializers.ModelSerializer[Row]):
    """Shows a row that makes no sense as far as it does: what cannot be shown is null, and `broken` says why."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        JSONField: SayableJSONField,
    }

    broken = serializers.SerializerMethodField(help_text="Fields that make no sense, and are read as empty or null.")

    def to_representation(self, instance: Row) -> dict[str, Any]:
        """The row, as far as it can be read."""
        try:
            return super().to_representation(instance)
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - a row may be broken in any way
            return self._as_far_as_it_can_be_read(instance)

    def get_broken(self, row: Row) -> str:
        """A sentence; empty for a sound row."""
        return broken_sentence(row)

    def _as_far_as_it_can_be_read(self, instance: Row) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        unread = []
        for field in self._readable_fields:
            name = str(field.field_name)
            try:
                value = field.get_attribute(instance)
                shown[name] = None if value is None else field.to_representation(value)
            except DatabaseError:
                raise
            except Exception:  # noqa: BLE001 - as above
                shown[name] = None
                unread.append(name)
        shown["broken"] = shown.get("broken") or f"The database's record of its {', '.join(unread)} cannot be read."
        return shown


class _Strict(serializers.Serializer[Any]):
    """Refuses fields that it does not know, so that a misspelt one is never silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Validated values. Raises `ValidationError` that names every unknown field and every wrong one."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
            self._refuse_other_kinds(data)
        return super().to_internal_value(data)

    def _refuse_other_kinds(self, data: Mapping[str, Any]) -> None:
        """Numbers and truth values are sent as such: `true` and `"1"` could be read as one, and were not meant so."""
        wrong = {
            name: sentence
            for name, value in data.items()
            for kinds, is_other, sentence in OTHER_KINDS
            if isinstance(self.fields[name], kinds) and is_other(value)
        }
        if wrong:
            raise serializers.ValidationError(wrong)


class StrictSerializer(_Strict):
    """What is sent to do something: a misspelt field could make it mean something larger."""


class StrictModelSerializer(_Strict, LegibleModelSerializer[Row]):
    """A resource that is written."""


class PercentField(serializers.FloatField):
    """A share that is stored as so many of `whole`, and is sent and read in per cent."""

    def __init__(self, whole: int, **options: Any) -> None:
        self._whole = whole
        super().__init__(**options)

    def run_validation(self, data: Any = empty) -> int:
        """The stored number. Raises `ValidationError` when what was sent is no share."""
        percent: float = super().run_validation(data)
        return round(percent * self._whole / 100)

    def to_representation(self, value: Any) -> Any:
        """In per cent."""
        return value * 100 / self._whole
