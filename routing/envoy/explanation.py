"""Tells a client that asks for it what its request was measured as."""

from routing.envoy.names import EXPLAIN_HEADER, EXPLANATION, FACTS, HTTP_FILTERS, Message

EXPLAINED = ("experiment", "variant", "backend")

WITH_MATCHER = "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher"
HEADER_INPUT = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
SKIP = "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter"


def explanation() -> Message:
    """A filter that sets headers of the answer; whoever does not ask pays for one look at a header, and no more."""
    mutations = {"response_mutations": [{"append": _header(name)} for name in EXPLAINED]}
    mutation = {"@type": f"{HTTP_FILTERS}.header_mutation.v3.HeaderMutation", "mutations": mutations}
    skip = {"action": {"name": "skip", "typed_config": {"@type": SKIP}}}
    return {
        "name": EXPLANATION,
        "typed_config": {
            "@type": WITH_MATCHER,
            "extension_config": {"name": EXPLANATION, "typed_config": mutation},
            "xds_matcher": {"matcher_list": {"matchers": [{"predicate": _not_asked(), "on_match": skip}]}},
        },
    }


def _not_asked() -> Message:
    asked = {"name": "asked", "typed_config": {"@type": HEADER_INPUT, "header_name": EXPLAIN_HEADER}}
    anything = {"safe_regex": {"google_re2": {}, "regex": ".*"}}
    return {"not_matcher": {"single_predicate": {"input": asked, "value_match": anything}}}


def _header(name: str) -> Message:
    header = {"key": f"x-sluice-{name}", "value": f"%DYNAMIC_METADATA({FACTS}:{name})%"}
    return {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
