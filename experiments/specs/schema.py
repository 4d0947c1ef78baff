"""The JSON Schema of files of specs, from what the API takes; and what it allows in one place."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from drf_spectacular.openapi import AutoSchema

from controlplane.api.inlined import inlined
from experiments.plan.spec import ExperimentSpec
from experiments.specs.kinds import Kind, ResourceKind, kinds
from experiments.specs.reading import Path

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LIMITS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
)

Schema = dict[str, Any]


@cache
def file_schema() -> Schema:
    """What one document of a file may hold. A thing that is there already may be described in part."""
    return {
        "$schema": DIALECT,
        "title": "Sluice",
        "description": "Backends, endpoints, metrics, experiments and what goes with them.",
        "type": "object",
        "additionalProperties": False,
        "properties": {kind.plural: {"type": "array", "items": _of(kind)} for kind in kinds().values()},
    }


def knows(path: Path) -> bool:
    """Whether there is such a field."""
    return _found(path) is not None


def fields_around(path: Path) -> list[str]:
    """The fields beside which the path would stand; none where it is an entry of a list, or of free names."""
    around = _found(path[:-1])
    return list(around.get("properties", ())) if around else []


def allowed(path: Path) -> str:
    """What may stand at a path, in words; empty where the schema says nothing more than what a message does.

    >>> allowed(("experiments", 0, "plan", "alpha"))
    'a number, at least 1e-06, at most 0.2'
    """
    schema = _found(path)
    if schema is None:
        names = fields_around(path)
        return f"one of {', '.join(names)}" if names else ""
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    limits = [words.format(f"{schema[limit]:g}") for limit, words in LIMITS if limit in schema]
    return ", ".join([_article(schema), *limits]) if "type" in schema else ""


def _article(schema: Mapping[str, Any]) -> str:
    words = {
        "string": "a text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
        "object": "an object",
        "null": "null",
    }
    types = schema["type"]
    return " or ".join(words[each] for each in ([types] if isinstance(types, str) else types))


def _found(path: Path) -> Mapping[str, Any] | None:
    """The schema of what stands at a path."""
    schema: Mapping[str, Any] | None = file_schema()
    for part in path:
        schema = _step(schema, part) if schema is not None else None
    return schema


def _step(schema: Mapping[str, Any], part: str | int) -> Mapping[str, Any] | None:
    for each in schema.get("anyOf", (schema,)):
        inner = each.get("items") if isinstance(part, int) else each.get("properties", {}).get(part)
        free = each.get("additionalProperties")
        if inner is None and isinstance(free, Mapping) and isinstance(part, str):
            inner = free
        if inner is not None:
            found: Mapping[str, Any] = inner
            return found
    return None


def _of(kind: Kind) -> Schema:
    if isinstance(kind, ResourceKind):
        fields = {name: _field(kind, name) for name in kind.fields}
        about = " ".join((kind.resource.model.__doc__ or "").split())
    else:
        fields = inlined(ExperimentSpec.model_json_schema())["properties"]
        about = "An experiment on one endpoint: its variants and its plan."
    return {
        "type": "object",
        "description": about,
        "properties": fields,
        "required": ["key"],
        "additionalProperties": False,
    }


def _field(kind: ResourceKind, name: str) -> Schema:
    field = kind.fields[name]
    described: Schema = AutoSchema()._map_serializer_field(field, "request")  # type: ignore[no-untyped-call]
    # What the choices are called stands in the descriptions of OpenAPI alone.
    about = {"description": str(field.help_text)} if field.help_text else {}
    kept = {part: value for part, value in described.items() if not part.startswith("x-") and part != "description"}
    return {**kept, **about}
