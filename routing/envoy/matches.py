"""Which requests a route is for."""

import re
from collections.abc import Iterable, Sequence

from routing.envoy.fields import MODEL
from routing.envoy.names import BODY_READ, FIELDS, Message
from routing.table import Condition, Endpoint, Operator, Tier


def address_match(endpoint: Endpoint) -> Message:
    """What belongs to an endpoint by path, host, method and headers: all but the model."""
    headers = [header_matcher(condition) for condition in endpoint.conditions]
    if endpoint.hosts:
        headers.append(_regex(":authority", "|".join(map(_host, endpoint.hosts)), suffix=r"(?::\d+)?", flags="(?i)"))
    if endpoint.methods:
        headers.append(method_matcher(endpoint.methods))
    return {**_path_match(endpoint.path_prefix), **({"headers": headers} if headers else {})}


def closeness(endpoint: Endpoint) -> tuple[int, ...]:
    """How closely an endpoint is matched by all but its model; what is larger comes first."""
    wildcards = any(host.startswith("*") for host in endpoint.hosts)
    by_host = 0 if not endpoint.hosts else 1 if wildcards else 2
    return (by_host, len(endpoint.path_prefix), len(endpoint.conditions), bool(endpoint.methods))


def model_match(endpoint: Endpoint) -> Message:
    """What belongs to an endpoint by its model, once the body was read; any model where it names none."""
    if not endpoint.models:
        return after_reading()
    alternatives = [{"string_match": {"exact": model}} for model in endpoint.models]
    value = {"or_match": {"value_matchers": alternatives}} if len(alternatives) > 1 else alternatives[0]
    return {"dynamic_metadata": [{"filter": FIELDS, "path": [{"key": MODEL}], "value": value}]}


def after_reading() -> Message:
    """Requests whose body was read already."""
    return {"filter_state": [present_state(BODY_READ)]}


def tier_match(tier: Tier) -> Message:
    """Requests that a tier answers."""
    headers = [header_matcher(condition) for condition in tier.conditions]
    if tier.longest_bytes:
        headers.append({"name": "content-length", "range_match": {"start": 0, "end": tier.longest_bytes + 1}})
    return {"headers": headers}


def path_match(parts: Sequence[str]) -> Message:
    """Requests with one of these patterns in their paths."""
    return {"headers": [{"name": ":path", "string_match": {"safe_regex": {"regex": rf"\C*(?:{'|'.join(parts)})\C*"}}}]}


def method_matcher(methods: Sequence[str], header: str = ":method") -> Message:
    """One of some methods, of the request itself or in a header that names one."""
    if len(methods) == 1:
        return {"name": header, "string_match": {"exact": methods[0]}}
    return _regex(header, "|".join(methods))


def present_header(name: str) -> Message:
    """A header, whatever it holds."""
    return {"name": name, "present_match": True}


def present_state(key: str) -> Message:
    """A filter state that holds something, which does not begin with what stands for nothing."""
    return {"key": key, "string_match": {"safe_regex": {"regex": r"[^\x7f]\C*"}}}


def encoded_match() -> Message:
    """Requests whose bodies are compressed."""
    return {"headers": [_regex("content-encoding", "identity", flags="(?i)") | {"invert_match": True}]}


def join(*matches: Message) -> Message:
    """One match for what all of them match."""
    joined: Message = {}
    for match in matches:
        for key, value in match.items():
            joined[key] = [*joined[key], *value] if isinstance(value, list) and key in joined else value
    return joined


def header_matcher(condition: Condition) -> Message:
    """A condition as Envoy's matcher; a header that is sent twice counts as both, joined by a comma."""
    match condition.operator:
        case Operator.PRESENT | Operator.ABSENT:
            return {"name": condition.header, "present_match": condition.operator is Operator.PRESENT}
        case Operator.IS_NOT:
            one_of = _regex(condition.header, _alternatives(condition.values))
            return {**one_of, "invert_match": True, "treat_missing_header_as_empty": True}
        case Operator.IS:
            return _regex(condition.header, _alternatives(condition.values))
        case Operator.STARTS_WITH:
            return _regex(condition.header, _alternatives(condition.values), suffix=r"\C*")
        case Operator.CONTAINS:
            return _regex(condition.header, _alternatives(condition.values), prefix=r"\C*", suffix=r"\C*")


def _path_match(prefix: str) -> Message:
    """`/chat` is for `/chat` and `/chat/…`, not for `/chatter`."""
    return {"prefix": prefix} if prefix.endswith("/") else {"path_separated_prefix": prefix}


def _host(host: str) -> str:
    return r"[^.:]+" + re.escape(host[1:]) if host.startswith("*.") else re.escape(host)


def _alternatives(values: Iterable[str]) -> str:
    return "|".join(map(re.escape, values))


def _regex(header: str, alternatives: str, *, prefix: str = "", suffix: str = "", flags: str = "") -> Message:
    pattern = f"{flags}{prefix}(?:{alternatives}){suffix}"
    return {"name": header, "string_match": {"safe_regex": {"regex": pattern}}}
