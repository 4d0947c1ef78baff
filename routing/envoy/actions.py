"""What a route does beside choosing a backend: time limits, retries, paths, copies, answers."""

import re

from routing.envoy.durations import duration
from routing.envoy.gate import shown_limits
from routing.envoy.names import BODY_LIMIT, HTTP_FILTERS, SHADOW_HEADER, SHADOWS, Message
from routing.envoy.units import cookie_headers
from routing.table import Endpoint, Shadow

LONGEST_SILENCE = 300.0
"""Seconds, where an endpoint names no limit: what never answers is never logged, and no brake would know of it."""

PREVIOUS_HOSTS = "envoy.retry_host_predicates.previous_hosts"


def route_action(endpoint: Endpoint) -> Message:
    """The action of all routes of an endpoint; the cluster is still to be added."""
    return {
        "timeout": f"{endpoint.timeout_seconds}s",
        "idle_timeout": duration(_longest_silence(endpoint)),
        "auto_host_rewrite": True,
        "retry_policy": _retry_policy(endpoint),
        **_rewrite(endpoint),
    }


def mirrors(endpoint: Endpoint) -> Message:
    """Copies for the shadows of an endpoint."""
    return {"request_mirror_policies": [_mirror(shadow) for shadow in endpoint.shadows]} if endpoint.shadows else {}


def answer_headers(endpoint: Endpoint) -> Message:
    """Headers of answers: the cookie of a new unit, and of rate limits the edge's own alone."""
    headers = cookie_headers(endpoint)
    return {**({"response_headers_to_add": headers} if headers else {}), **shown_limits(endpoint)}


def _longest_silence(endpoint: Endpoint) -> float:
    """In seconds, and never for ever. An answer that may take so long to begin may be silent for as long.

    Envoy's limit for one attempt is not used: it ends once the time to the first byte is over, and then none holds.
    """
    limits = endpoint.limits
    named = limits.idle_seconds or float(endpoint.timeout_seconds) or LONGEST_SILENCE
    return max(named, limits.first_byte_seconds)


def _retry_policy(endpoint: Endpoint) -> Message:
    """Tries again only while the backend cannot have seen the request."""
    limits = endpoint.limits
    first_byte = {"per_try_timeout": duration(limits.first_byte_seconds)} if limits.first_byte_seconds else {}
    return {
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": limits.retries,
        "retry_host_predicate": [
            {
                "name": PREVIOUS_HOSTS,
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
        **first_byte,
    }


def _rewrite(endpoint: Endpoint) -> Message:
    if endpoint.rewrite is None:
        return {}
    prefix, target = re.escape(endpoint.path_prefix.rstrip("/")), endpoint.rewrite.rstrip("/").replace("\\", r"\\")
    pattern = rf"^{prefix}(/.*)?$" if target else rf"^{prefix}/?(.*)$"
    return {"regex_rewrite": {"pattern": {"regex": pattern}, "substitution": rf"{target or '/'}\1"}}


def _mirror(shadow: Shadow) -> Message:
    name = {"key": SHADOW_HEADER, "value": f"{shadow.experiment}/{shadow.variant}"}
    share = {"numerator": shadow.share, "denominator": "TEN_THOUSAND"}
    return {
        "cluster": SHADOWS,
        "runtime_fraction": {"default_value": share},
        "disable_shadow_host_suffix_append": True,
        "request_headers_mutations": [
            {"append": {"header": name, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
        ],
    }


def body_limit_filter(endpoint: Endpoint) -> Message:
    """Refuses larger requests, also where nothing else reads bodies; nothing where the endpoint has no limit."""
    if not endpoint.limits.body_bytes:
        return {}
    kind = f"{HTTP_FILTERS}.buffer.v3.BufferPerRoute"
    return {BODY_LIMIT: {"@type": kind, "buffer": {"max_request_bytes": endpoint.limits.body_bytes}}}
