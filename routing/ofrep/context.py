"""What an SDK tells of the user, checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.allocation.unit_identity import BLANKS, NoUnitError, canonical_unit
from routing.ofrep.flag_errors import FlagError

TARGETING_KEY = "targetingKey"
RECORD_EXPOSURE = "recordExposure"
HEADER_BLANKS = " \t"
"""Those that HTTP takes off the ends of a header's value (RFC 9110, 5.5)."""


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
    unit = _unit(context.get(TARGETING_KEY))
    record = context.get(RECORD_EXPOSURE, False)
    if not isinstance(record, bool):
        raise FlagError(400, "INVALID_CONTEXT", "Send true or false as `recordExposure`, or leave it out.")
    texts = {name: value for name, value in context.items() if isinstance(value, str)}
    headers = {name.lower(): value.strip(HEADER_BLANKS) for name, value in texts.items()}
    return Context(unit, headers, record)


def _unit(sent: object) -> str:
    if sent is None or (isinstance(sent, str) and not sent.strip(BLANKS)):
        raise FlagError(400, "TARGETING_KEY_MISSING", "Name the user in the context's `targetingKey`.")
    if not isinstance(sent, str):
        raise FlagError(400, "INVALID_CONTEXT", "Send a text as `targetingKey`.")
    try:
        return canonical_unit(sent)
    except NoUnitError as error:
        raise FlagError(400, "INVALID_CONTEXT", f"`targetingKey` names no user. {error}") from None
