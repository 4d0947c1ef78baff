"""Lists of routes: a request is held against one of them alone, as each of its routes costs it a look."""

from collections.abc import Mapping, Sequence

from routing.envoy.names import Message

ROUTE_LIST = "type.googleapis.com/envoy.config.route.v3.RouteList"
HEADER_INPUT = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"


def route_list(routes: Sequence[Message]) -> Message:
    """What Envoy's matcher of routes leads to."""
    return {"action": {"name": "routes", "typed_config": {"@type": ROUTE_LIST, "routes": list(routes)}}}


def by_method(apart: Mapping[str, Sequence[Message]], *, otherwise: Message) -> Message:
    """Envoy's matcher of routes: those of some methods apart from all others."""
    lists = {name: route_list(routes) for name, routes in apart.items()}
    return {
        "matcher_tree": {"input": _header(":method"), "exact_match_map": {"map": lists}},
        "on_no_match": otherwise,
    }


def by_presence(header: str, routes: Sequence[Message], *, otherwise: Sequence[Message]) -> Message:
    """The routes of requests that have a header, whatever it holds, apart from all others."""
    matchers = [{"predicate": present(header), "on_match": route_list(routes)}]
    return {"matcher": {"matcher_list": {"matchers": matchers}, "on_no_match": route_list(otherwise)}}


def present(header: str) -> Message:
    """Requests that have a header, whatever bytes it holds."""
    anything = {"safe_regex": {"google_re2": {}, "regex": r"\C*"}}
    return {"single_predicate": {"input": _header(header), "value_match": anything}}


def _header(name: str) -> Message:
    return {"name": name, "typed_config": {"@type": HEADER_INPUT, "header_name": name}}
