"""Filters of the chain that pass over what is plainly none of their business."""

from routing.envoy.names import Message

WITH_MATCHER = "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher"
SKIP_FILTER = "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter"


def skipped_where(predicate: Message, name: str, options: Message) -> Message:
    """The filter of this name and these options, which costs a request that meets the predicate a look at it."""
    skip = {"action": {"name": "skip", "typed_config": {"@type": SKIP_FILTER}}}
    return {
        "name": name,
        "typed_config": {
            "@type": WITH_MATCHER,
            "extension_config": {"name": name, "typed_config": options},
            "xds_matcher": {"matcher_list": {"matchers": [{"predicate": predicate, "on_match": skip}]}},
        },
    }
