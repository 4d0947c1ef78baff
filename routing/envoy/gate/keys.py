"""API keys at the edge: Envoy's Lua filter hashes what a client sends and looks the hash up."""

from importlib.resources import files

from routing.envoy.names import HTTP_FILTERS, KEYS, Message
from routing.table import Access, Endpoint, Table

SHA256, SCRIPT = (
    files("routing.envoy.gate").joinpath(name).read_text(encoding="utf-8") for name in ("sha256.lua", "keys.lua")
)
PLACE = "--[[endpoints]]"


def keys(table: Table) -> Message:
    """The filter's configuration: the script with the keys of all endpoints; an empty one where none has any."""
    guarded = [(endpoint.key, endpoint.access) for endpoint in table.endpoints if endpoint.access is not None]
    entries = [f'["{key}"] = {{{_entries(access)}}}' for key, access in guarded]
    script = f"{SHA256}\n{SCRIPT}".replace(PLACE, ",\n".join(entries)) if entries else ""
    return {"default_source_code": {"inline_string": script or "-- No endpoint asks for keys."}}


def key_filter(endpoint: Endpoint) -> Message:
    """What the script is told on an endpoint's routes; nothing where anybody may call."""
    if endpoint.access is None:
        return {}
    context = {"endpoint": endpoint.key, "tokens": endpoint.access.issuer is not None}
    return {KEYS: {"@type": f"{HTTP_FILTERS}.lua.v3.LuaPerRoute", "filter_context": context}}


def _entries(access: Access) -> str:
    return ", ".join(f'["{key.digest}"] = "{key.client}"' for key in access.keys)
