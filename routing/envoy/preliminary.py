"""Requests that ask no model anything: a browser's preflight, HEAD, OPTIONS. They are logged, and measured nowhere.

The endpoint's own backend answers them. No unit is looked for: none is made up, and no variant is drawn. They need the
key that others need, apart from a preflight, with which browsers send none.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from routing.envoy.matches import address_match, closeness, method_matcher, present_header
from routing.envoy.names import Message
from routing.table import Endpoint

HEAD, OPTIONS, TRACE = "HEAD", "OPTIONS", "TRACE"

ASKED_METHOD = "access-control-request-method"
PREFLIGHT = [present_header("origin"), present_header(ASKED_METHOD)]

PREFLIGHT_BYTES = 1
CREDENTIALS = ("authorization", "x-api-key", "api-key")
"""What lets a client in, and no backend is to see. Preflights pass by the gate, which takes it from others."""

ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def preflights(endpoints: Iterable[Endpoint]) -> list[tuple[Message, Endpoint]]:
    """What matches preflights, the closest first, each with the endpoint that they are for.

    It is that of the request which a preflight announces. It tells its method, but neither its model nor what most of
    its headers will hold: of endpoints that differ in these alone, that without them is taken, or the first by key.
    """
    candidates = [(each, endpoint) for endpoint in endpoints for each in (endpoint, replace(endpoint, conditions=()))]
    found: dict[str, tuple[Message, Endpoint]] = {}
    for asked, endpoint in sorted(candidates, key=lambda pair: _order(*pair)):
        match = _preflight_match(asked)
        found.setdefault(json.dumps(match), (match, endpoint))
    return list(found.values())


def bodiless(endpoint: Endpoint) -> Endpoint:
    """An endpoint as preflights meet it: what passes without a key has no body that a model could answer."""
    return replace(endpoint, limits=replace(endpoint.limits, body_bytes=PREFLIGHT_BYTES))


def without_model(endpoints: Sequence[Endpoint]) -> Endpoint:
    """The endpoint of several on one address that a request belongs to which cannot name its model."""
    return min(endpoints, key=lambda endpoint: (bool(endpoint.models), endpoint.key))


def trace_refusal() -> Message:
    """The route of TRACE, which would tell a client what its backend is called with."""
    allowed = {"header": {"key": "allow", "value": ALLOWED}}
    return {
        "match": {"prefix": "/"},
        "direct_response": {"status": 405},
        "response_headers_to_add": [allowed],
    }


def _order(asked: Endpoint, endpoint: Endpoint) -> tuple[object, ...]:
    nearest = [-float(part) for part in closeness(asked)]
    return (nearest, OPTIONS not in asked.methods, len(endpoint.conditions), bool(endpoint.models), endpoint.key)


def _preflight_match(endpoint: Endpoint) -> Message:
    """What announces a request of this endpoint; one that has the method OPTIONS itself takes all."""
    address = address_match(replace(endpoint, methods=()))
    announced = (
        [] if OPTIONS in endpoint.methods or not endpoint.methods else [method_matcher(endpoint.methods, ASKED_METHOD)]
    )
    return {**address, "headers": [*PREFLIGHT, *announced, *address.get("headers", [])]}
