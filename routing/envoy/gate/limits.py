"""Rate limits at the edge, by token bucket; each edge counts for itself."""

from collections.abc import Iterator

from routing.envoy.fields import cookie_field
from routing.envoy.names import FACTS, FIELDS, RETRY_AFTER, Message
from routing.envoy.units import CLAIMS
from routing.table import Endpoint, RateLimit, RateLimitScope, Table, Unit, UnitSource

ALWAYS = {"default_value": {"numerator": 100}}
UNLIMITED = {"max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "1s"}
MOST_COUNTED = 100_000
"""Clients or units that are counted at a time; the one that was longest unseen makes room."""


def limits(table: Table) -> Message:
    """The filter's configuration; it survives new routes, so that a ramp fills no bucket."""
    pairs = [(endpoint, limit) for endpoint in table.endpoints for limit in endpoint.rate_limits]
    options: Message = {"stat_prefix": "limits", "token_bucket": UNLIMITED}
    if not pairs:
        return options
    return options | {
        "filter_enabled": ALWAYS,
        "filter_enforced": ALWAYS,
        "rate_limits": [{"actions": list(_actions(endpoint, limit))} for endpoint, limit in pairs],
        "descriptors": [_descriptor(endpoint, limit) for endpoint, limit in pairs],
        "max_dynamic_descriptors": MOST_COUNTED,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
    }


def retry_after() -> Message:
    """Tells who is refused when to come again: what the limits' own header says."""
    reset = "%CEL(response.code == 429 ? response.headers['x-ratelimit-reset'] : '')%"
    mutation = {
        "header": {"key": RETRY_AFTER, "value": reset},
        "append_action": "ADD_IF_ABSENT",
        "keep_empty_value": False,
    }
    return {"mutations": {"response_mutations": [{"append": mutation}]}}


def _descriptor(endpoint: Endpoint, limit: RateLimit) -> Message:
    whose = [] if limit.scope is RateLimitScope.ENDPOINT else [{"key": limit.scope.value}]
    bucket = {
        "max_tokens": limit.requests,
        "tokens_per_fill": limit.requests,
        "fill_interval": f"{limit.seconds}s",
    }
    return {"entries": [{"key": "endpoint", "value": endpoint.key}, *whose], "token_bucket": bucket}


def _actions(endpoint: Endpoint, limit: RateLimit) -> Iterator[Message]:
    yield _from_metadata("endpoint", FACTS, "endpoint")
    if limit.scope is RateLimitScope.CLIENT:
        yield _from_metadata("client", FACTS, "client")
    if limit.scope is RateLimitScope.UNIT:
        yield _unit_action(endpoint.unit)


def _unit_action(unit: Unit) -> Message:
    match unit.source:
        case UnitSource.HEADER:
            return {"request_headers": {"header_name": unit.name, "descriptor_key": "unit"}}
        case UnitSource.COOKIE:
            return _from_metadata("unit", FIELDS, cookie_field(unit.name))
        case UnitSource.BODY:
            return _from_metadata("unit", FIELDS, unit.name)
        case UnitSource.CLAIM:
            return _from_metadata("unit", CLAIMS, "claims", *unit.name.split("."))


def _from_metadata(key: str, namespace: str, *path: str) -> Message:
    place = {"key": namespace, "path": [{"key": step} for step in path]}
    return {"metadata": {"descriptor_key": key, "metadata_key": place, "source": "DYNAMIC"}}
