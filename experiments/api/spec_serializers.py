"""Rows that a spec was written down in, shown as the spec describes its fields."""

from typing import Any, ClassVar, TypeVar

from django.db.models import Model
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from pydantic import BaseModel
from rest_framework import serializers

from experiments.plan.spec import described

Row = TypeVar("Row", bound=Model)

OF_FORMS = {"title", "default"}
"""What is said of a field to those who fill it in alone."""


class SpecModelSerializer(serializers.ModelSerializer[Row]):
    """Shows a row whose columns are the fields of `spec`, and are described there."""

    spec: ClassVar[type[BaseModel]]

    def get_extra_kwargs(self) -> dict[str, Any]:
        """The descriptions."""
        told = {name: field.get("description", "") for name, field in described(self.spec).items()}
        return {**{name: {"help_text": text} for name, text in told.items() if text}, **super().get_extra_kwargs()}


class SpecSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call,unused-ignore]
    """Tells the OpenAPI document what the columns may hold: types and limits are the spec's."""

    target_class = SpecModelSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """As for any serializer, and each field that holds plain values as the spec has it."""
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]
        for name, told in described(self.target.spec).items():
            shown = schema["properties"][name]
            if _is_plain(told) and "enum" not in shown:
                shown |= {key: value for key, value in told.items() if key not in OF_FORMS}
        return schema


def _is_plain(told: dict[str, Any]) -> bool:
    """Whether a field's description stands by itself, and names no other."""
    return "type" in told and "$ref" not in told.get("items", {})
