"""What all serializers share."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

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
