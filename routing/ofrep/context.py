"""What an SDK tells of the user, checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.ofrep.errors import FlagError

TARGETING_KEY = "targetingKey"
RECORD_EXPOSURE = "recordExposure"
LONGEST_UNIT = 1000
"""As long as that of an outcome."""


@dataclass(frozen=True, slots=True)
class Context:
    """The unit, the headers that its request would have, and whether its exposure is to be recorded."""

    unit: str
    headers: Mapping[str, str]
    record_exposure: bool


def read_context(body: object) -> Context:
    """The context in a decoded body; its texts stand for the headers that the edge would see.

    Raises:
        FlagError: `INVALID_CONTEXT` or `TARGETING_KEY_MISSING`.

    """
    context = body.get("context") if isinstance(body, dict) else None
    if not isinstance(context, dict):
        raise FlagError(400, "INVALID_CONTEXT", "Send an object with the object `context`.")
    unit = context.get(TARGETING_KEY)
    if unit is None or unit == "":
        raise FlagError(400, "TARGETING_KEY_MISSING", "Name the user in the context's `targetingKey`.")
    if not isinstance(unit, str) or len(unit) > LONGEST_UNIT or not _is_unicode(unit):
        detail = f"Send as `targetingKey` a text of at most {LONGEST_UNIT} characters of Unicode."
        raise FlagError(400, "INVALID_CONTEXT", detail)
    record = context.get(RECORD_EXPOSURE, False)
    if not isinstance(record, bool):
        raise FlagError(400, "INVALID_CONTEXT", "Send true or false as `recordExposure`, or leave it out.")
    headers = {name.lower(): value for name, value in context.items() if isinstance(value, str)}
    return Context(unit, headers, record)


def _is_unicode(text: str) -> bool:
    """Whether the text can be hashed: JSON can spell half of a character, UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
