"""The unit of a request: where it is found, and the cookie for who has none."""

from routing.envoy.fields import cookie_field, value_field
from routing.envoy.identity import header_place, metadata_place
from routing.envoy.names import (
    COOKIE,
    FIELDS,
    HTTP_FILTERS,
    IDENTITY,
    NEW_COOKIE,
    RAW_UNIT,
    SALT,
    SALTED_UNIT,
    UNIT,
    Message,
)
from routing.table import Endpoint, Unit, UnitSource

CLAIMS = "envoy.filters.http.jwt_authn"
COOKIE_SECONDS = 365 * 24 * 3600
NEW_UNIT = f"{COOKIE}=%REQ(X-REQUEST-ID)%; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax"


# Where the identity filter leaves a unit that it looked at.
CANONICAL = f"%DYNAMIC_METADATA({FIELDS}:unit)%"


def unit_filters(endpoint: Endpoint) -> Message:
    """Keeps the unit as it came, and then as all write it, with what is hashed.

    The last source that holds something counts. What is hashed is made of what was kept, not of a source: behind a
    salt no source is empty.
    """
    salt = endpoint.salt.replace("%", "%%")
    came = [_state(NEW_COOKIE, "envoy.string", NEW_UNIT)] if endpoint.unit.anonymous else []
    came += [_state(RAW_UNIT, "envoy.string", source) for source in _sources(endpoint.unit)]
    salted = _state(SALTED_UNIT, "envoy.hashable_string", f"{salt}:%FILTER_STATE({RAW_UNIT}:PLAIN)%")
    kept = [_state(RAW_UNIT, "envoy.string", CANONICAL), salted]
    kind = f"{HTTP_FILTERS}.set_filter_state.v3.Config"
    return {name: {"@type": kind, "on_request_headers": states} for name, states in ((UNIT, came), (SALT, kept))}


def unit_place(endpoint: Endpoint) -> Message:
    """A namespace of the metadata of an endpoint's routes: where the identity filter finds the unit."""
    unit = endpoint.unit
    place = {
        UnitSource.HEADER: header_place(unit.name),
        UnitSource.COOKIE: metadata_place(FIELDS, cookie_field(unit.name)),
        UnitSource.BODY: metadata_place(FIELDS, value_field(unit.name), digits=unit.name),
        UnitSource.CLAIM: metadata_place(CLAIMS, "claims", *unit.name.split(".")),
    }[unit.source]
    return {IDENTITY: place}


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
