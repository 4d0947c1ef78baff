"""One identity a user: a filter that looks at the units that may be written in several ways, and at no others.

It stands behind the filter that keeps a unit as it came, and before the one that keeps what is hashed.
"""

from importlib.resources import files

from routing.envoy.names import HTTP_FILTERS, IDENTITY, RAW_UNIT, Message
from routing.envoy.skipping import skipped_where

SCRIPT = files("routing.envoy.identity").joinpath("identity.lua").read_text(encoding="utf-8")

# Nothing of this can be written in another way: no blanks at the ends, nothing beyond ASCII, and not long.
PLAIN = "[!-~]{1,128}"

# But for what may have been a number or a truth: numbers of many digits and fractions lose some on their way.
NUMBER = r"-?(?:[01]|[0-9]{16,}|[0-9]+\.[0-9]+(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+)|true|false"

# Between the steps of a path; it cannot be in one.
SEPARATOR = "\x1f"

STATE_INPUT = "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.FilterStateInput"


def identity() -> Message:
    """The filter of the chain. A plain unit, or none, costs a look at it."""
    script = {"@type": f"{HTTP_FILTERS}.lua.v3.Lua", "default_source_code": {"inline_string": SCRIPT}}
    plain = {"and_matcher": {"predicate": [_is(PLAIN), {"not_matcher": _is(NUMBER)}]}}
    none = {"not_matcher": _is(r"\C+")}
    return skipped_where({"or_matcher": {"predicate": [plain, none]}}, IDENTITY, script)


def header_place(name: str) -> Message:
    """What the metadata of a route says of units in a header."""
    return {"header": name}


def metadata_place(namespace: str, *path: str, digits: str = "") -> Message:
    """The same for units in a request's metadata; `digits` is the field that holds a number as it was written."""
    place = {"namespace": namespace, "path": SEPARATOR.join(path)}
    return {**place, "digits": digits} if digits else place


def _is(pattern: str) -> Message:
    unit = {"name": "unit", "typed_config": {"@type": STATE_INPUT, "key": RAW_UNIT}}
    return {"single_predicate": {"input": unit, "value_match": {"safe_regex": {"google_re2": {}, "regex": pattern}}}}
