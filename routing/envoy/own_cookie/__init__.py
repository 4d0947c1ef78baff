"""No backend sets or deletes the edge's own cookie: users would become others in the middle of an experiment."""

from importlib.resources import files

from routing.envoy.names import COOKIE, HTTP_FILTERS, OWN_COOKIE, Message
from routing.envoy.skipping import skipped_where

SCRIPT = files("routing.envoy.own_cookie").joinpath("own_cookie.lua").read_text(encoding="utf-8")

HEADER_INPUT = "type.googleapis.com/envoy.type.matcher.v3.HttpResponseHeaderMatchInput"


def own_cookie() -> Message:
    """The filter of the chain. An answer that sets no cookie of this name costs a look at its headers."""
    script = {"@type": f"{HTTP_FILTERS}.lua.v3.Lua", "default_source_code": {"inline_string": SCRIPT}}
    return skipped_where(_not_set(), OWN_COOKIE, script)


def _not_set() -> Message:
    cookies = {"name": "cookies", "typed_config": {"@type": HEADER_INPUT, "header_name": "set-cookie"}}
    return {"not_matcher": {"single_predicate": {"input": cookies, "value_match": {"contains": COOKIE}}}}
