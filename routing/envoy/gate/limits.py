"""Rate limits at the edge, by token bucket; each edge counts for itself.

A limit per client or per unit counts who names none by the address that the request comes from, so that nobody escapes
it by saying nothing. What asks no model anything (`preliminary.py`) counts for the endpoint, and HEAD for its client.
"""

from collections.abc import Iterable, Iterator

from routing.envoy.names import FACTS, RAW_UNIT, RETRY, RETRY_AFTER, Message
from routing.envoy.preliminary import HEAD, OPTIONS
from routing.table import Endpoint, RateLimit, RateLimitScope, Table

# A filter that is off for the whole listener works for routes that hold this.
SWITCHED_ON = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}

ALWAYS = {"default_value": {"numerator": 100}}
MOST_COUNTED = 100_000
"""Clients or units that are counted at a time; the one that was longest unseen makes room."""

SHOWN = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")

# An address of IPv6 is a network's, within which a client may choose any.
ADDRESS = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
CEL = "type.googleapis.com/envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor"

# Whoever has no unit of its own yet was given the request's id as one, and with the next request another. Of units that
# cannot be told from others the identity filter leaves a mark.
UNIT = f"filter_state['{RAW_UNIT}']"
IS_NOBODY = f"{UNIT} == bytes(request.id) || {UNIT} == b'\\x7f'"
HAS_UNIT = f"'{RAW_UNIT}' in filter_state && !({IS_NOBODY})"
HAS_CLIENT = f"'client' in metadata.filter_metadata['{FACTS}']"


def limits(table: Table) -> Message:
    """The filter's configuration; it survives new routes, so that a ramp fills no bucket.

    It has no bucket for all: what no limit is for is not counted, and its answers show none.
    """
    pairs = [(endpoint, limit) for endpoint in table.endpoints for limit in endpoint.rate_limits]
    options: Message = {"stat_prefix": "limits"}
    if not pairs:
        return options
    scopes = dict.fromkeys(limit.scope for _, limit in pairs)
    return options | {
        "filter_enabled": ALWAYS,
        "filter_enforced": ALWAYS,
        "rate_limits": [{"actions": actions} for scope in scopes for actions in _ACTIONS[scope]],
        "descriptors": [each for endpoint, limit in pairs for each in _descriptors(endpoint, limit)],
        "max_dynamic_descriptors": MOST_COUNTED,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "rate_limited_as_resource_exhausted": True,
    }


def retry_after() -> Message:
    """Tells who is refused when to come again: what the limits' own header says."""
    is_ours = "response.code_details == 'local_rate_limited'"
    mutation = {
        "header": {"key": RETRY_AFTER, "value": f"%CEL({is_ours} ? response.headers['x-ratelimit-reset'] : '')%"},
        "append_action": "ADD_IF_ABSENT",
        "keep_empty_value": False,
    }
    return {"mutations": {"response_mutations": [{"append": mutation}]}}


def retry_filter(endpoints: Iterable[Endpoint]) -> Message:
    """Has answers say when to come again, where one of these endpoints has limits."""
    return {RETRY: SWITCHED_ON} if any(endpoint.rate_limits for endpoint in endpoints) else {}


def shown_limits(endpoint: Endpoint) -> Message:
    """Where the edge's own limits are shown, those of a backend of the same names are not."""
    return {"response_headers_to_remove": list(SHOWN)} if endpoint.rate_limits else {}


def _computed(key: str, expression: str) -> Message:
    """A part of what is counted, in CEL; where that is an error, nothing is counted."""
    return {"extension": {"name": key, "typed_config": {"@type": CEL, "descriptor_key": key, "text": expression}}}


def _from_facts(name: str) -> Message:
    place = {"key": FACTS, "path": [{"key": name}]}
    return {"metadata": {"descriptor_key": name, "metadata_key": place, "source": "DYNAMIC"}}


def _named(scope: RateLimitScope, known: str, otherwise: Iterable[str]) -> Message:
    """Whether a request is counted by its name, or for the endpoint alone; else its address counts."""
    methods = ", ".join(f"'{method}'" for method in otherwise)
    return _computed(f"{scope} named", f"{known} || request.method in [{methods}] ? 'yes' : 'no'")


_ENDPOINT = _from_facts("endpoint")
_ACTIONS = {
    RateLimitScope.ENDPOINT: [[_ENDPOINT]],
    RateLimitScope.CLIENT: [
        [_ENDPOINT, _from_facts("client")],
        [_ENDPOINT, _named(RateLimitScope.CLIENT, HAS_CLIENT, [OPTIONS]), ADDRESS],
    ],
    RateLimitScope.UNIT: [
        [_ENDPOINT, _computed("unit", f"{IS_NOBODY} ? filter_state['none'] : {UNIT}")],
        [_ENDPOINT, _named(RateLimitScope.UNIT, HAS_UNIT, [HEAD, OPTIONS]), ADDRESS],
    ],
}
"""What a request is counted as, by scope; the same for all endpoints, so that none is counted twice."""


def _descriptors(endpoint: Endpoint, limit: RateLimit) -> Iterator[Message]:
    bucket = {
        "max_tokens": limit.requests,
        "tokens_per_fill": limit.requests,
        "fill_interval": f"{limit.seconds}s",
    }
    for whose in _counted_apart(limit.scope):
        yield {"entries": [{"key": "endpoint", "value": endpoint.key}, *whose], "token_bucket": bucket}


def _counted_apart(scope: RateLimitScope) -> list[list[Message]]:
    """What has a bucket of its own, beside the endpoint."""
    if scope is RateLimitScope.ENDPOINT:
        return [[]]
    return [[{"key": scope.value}], [{"key": f"{scope} named", "value": "no"}, {"key": "masked_remote_address"}]]
