"""Tells a client that asks for it, and was let in, what its request was measured as."""

from routing.envoy.names import EXPLAIN_HEADER, EXPLANATION, FACTS, HTTP_FILTERS, Message
from routing.envoy.preliminary import OPTIONS
from routing.envoy.skipping import skipped_where

EXPLAINED = ("experiment", "variant", "backend", "rule", "headers", "query")

HEADER_INPUT = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"

# How Envoy calls what came of a request that it passed on, or tried to. A preflight gets that far without a key.
PASSED_ON = r"^(via_upstream$|upstream_|no_healthy_upstream$|cluster_not_found$|response_timeout$)"
LET_IN = f"response.code_details.matches(r'{PASSED_ON}') && request.method != '{OPTIONS}'"


def explanation() -> Message:
    """A filter that sets headers of the answer; whoever does not ask pays for one look at a header, and no more."""
    mutations = {"response_mutations": [{"append": _header(name)} for name in EXPLAINED]}
    mutation = {"@type": f"{HTTP_FILTERS}.header_mutation.v3.HeaderMutation", "mutations": mutations}
    return skipped_where(_not_asked(), EXPLANATION, mutation)


def _not_asked() -> Message:
    asked = {"name": "asked", "typed_config": {"@type": HEADER_INPUT, "header_name": EXPLAIN_HEADER}}
    anything = {"safe_regex": {"google_re2": {}, "regex": ".*"}}
    return {"not_matcher": {"single_predicate": {"input": asked, "value_match": anything}}}


def _header(name: str) -> Message:
    """The filter runs also for whoever was refused before it saw the request, and could not look whether it asked."""
    value = f"%CEL({LET_IN} ? metadata.filter_metadata['{FACTS}']['{name}'] : '')%"
    header = {"key": f"x-sluice-{name}", "value": value}
    return {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "keep_empty_value": False}
