"""What all serializers share."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers
from rest_framework.fields import empty

Row = TypeVar("Row", bound=Model)


class StrictModelSerializer(serializers.ModelSerializer[Row]):
    """Refuses fields that it does not know, so that a misspelt one is never silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Validated values. Raises `ValidationError` that names every unknown field and every wrong one."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return super().to_internal_value(data)


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
