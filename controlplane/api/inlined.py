"""JSON Schema without references: what others take apart, or put into a document of their own."""

from collections.abc import Mapping
from typing import Any

_DEFINITIONS = "$defs"
_REFERENCE = "$ref"


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with its definitions in the places that name them; none may hold itself.

    >>> inlined({"$defs": {"Share": {"type": "number"}}, "items": {"$ref": "#/$defs/Share", "title": "Share"}})
    {'items': {'type': 'number', 'title': 'Share'}}
    """
    definitions = schema.get(_DEFINITIONS, {})
    return {name: _inlined(part, definitions) for name, part in schema.items() if name != _DEFINITIONS}


def _inlined(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    own = {name: _inlined(each, definitions) for name, each in part.items() if name != _REFERENCE}
    if _REFERENCE not in part:
        return own
    return {**_inlined(definitions[part[_REFERENCE].rpartition("/")[2]], definitions), **own}
