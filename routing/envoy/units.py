"""The unit of a request: where it is found, and the cookie for who has none."""

from routing.envoy.fields import cookie_field
from routing.envoy.names import COOKIE, FIELDS, HTTP_FILTERS, NEW_COOKIE, RAW_UNIT, SALTED_UNIT, UNIT, Message
from routing.table import Endpoint, Unit, UnitSource

CLAIMS = "envoy.filters.http.jwt_authn"
COOKIE_SECONDS = 365 * 24 * 3600
NEW_UNIT = f"{COOKIE}=%REQ(X-REQUEST-ID)%; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax"


def unit_filter(endpoint: Endpoint) -> Message:
    """Keeps the unit, and what is hashed, with the request; the last source that holds something counts."""
    salt = endpoint.salt.replace("%", "%%")
    states = [_state(NEW_COOKIE, "envoy.string", NEW_UNIT)] if endpoint.unit.anonymous else []
    for source in _sources(endpoint.unit):
        states.append(_state(RAW_UNIT, "envoy.string", source))
        states.append(_state(SALTED_UNIT, "envoy.hashable_string", f"{salt}:{source}"))
    return {UNIT: {"@type": f"{HTTP_FILTERS}.set_filter_state.v3.Config", "on_request_headers": states}}


def cookie_headers(endpoint: Endpoint) -> list[Message]:
    """The header that gives a new unit to whom the edge has just named one; none where units are not anonymous."""
    if not endpoint.unit.anonymous:
        return []
    is_new = f"filter_state['{RAW_UNIT}'] == bytes(request.id)"
    header = {"key": "set-cookie", "value": f"%CEL({is_new} ? filter_state['{NEW_COOKIE}'] : b'')%"}
    return [{"header": header, "append_action": "APPEND_IF_EXISTS_OR_ADD", "keep_empty_value": False}]


def _sources(unit: Unit) -> list[str]:
    own = {
        UnitSource.HEADER: f"%REQ({unit.name})%",
        UnitSource.COOKIE: f"%DYNAMIC_METADATA({FIELDS}:{cookie_field(unit.name)})%",
        UnitSource.BODY: f"%DYNAMIC_METADATA({FIELDS}:{unit.name})%",
        UnitSource.CLAIM: f"%DYNAMIC_METADATA({CLAIMS}:claims:{unit.name.replace('.', ':')})%",
    }[unit.source]
    if not unit.anonymous:
        return [own]
    return ["%REQ(X-REQUEST-ID)%", f"%DYNAMIC_METADATA({FIELDS}:{cookie_field(COOKIE)})%", own]


def _state(key: str, factory: str, text: str) -> Message:
    return {
        "object_key": key,
        "factory_key": factory,
        "format_string": {"text_format_source": {"inline_string": text}, "omit_empty_values": True},
        "skip_if_empty": True,
    }
