"""Fields of bodies, headers, cookies and paths that become metadata of the request."""

from collections.abc import Iterable, Iterator, Sequence

from routing.envoy.answers import answers_filter, may_ask
from routing.envoy.names import ADDRESS_FIELDS, BODY_FIELDS, COOKIE, FACTS, FIELDS, HTTP_FILTERS, Message
from routing.protocols import PROTOCOLS, Protocol
from routing.table import Backend, Endpoint, UnitSource

MODEL = "model"
# Of a request: whether it asks for a stream.
STREAM = "stream"
ASKED = "asked"

# Envoy reads no body with a whole number from 2^63 to 2^64 - 1 in it, nor half a surrogate pair; broken JSON neither.
UNREADABLE = {"metadata_namespace": FACTS, "key": "without_unit", "value": "unreadable-json"}

# Also with a character set behind it, as llama.cpp and many clients write it. Left to itself Envoy takes none of those.
JSON_TYPE = {"regex": r"(?i)application/([a-z0-9.-]+\+)?json\s*(;.*)?"}


def no_body_rules() -> Message:
    """Rules of bodies that take nothing, which the filter has where no route says otherwise."""
    return {"rules": [_rule((MODEL,), FIELDS, MODEL, "STRING")], "allow_content_types": ["none"]}


def body_filter(endpoints: Sequence[Endpoint], backends: dict[str, Backend]) -> Message:
    """What the filters of bodies do for requests that may be one of these endpoints'; nothing where no body decides.

    Requests are read only where they hold something: reading means that Envoy keeps them whole. Answers are not kept.
    """
    wanted = sorted({endpoint.unit.name for endpoint in endpoints if endpoint.unit.source is UnitSource.BODY})
    rules = [{**_rule(name.split("."), FIELDS, name, "STRING"), "on_error": UNREADABLE} for name in wanted]
    rules += [_rule(name.split("."), FIELDS, value_field(name), "PROTOBUF_VALUE") for name in wanted]
    if any(endpoint.models for endpoint in endpoints):
        rules.append(_rule((MODEL,), FIELDS, MODEL, "STRING"))
    protocols = _protocols(endpoints, backends)
    if rules and may_ask(protocols):
        rules.append(_asked_rule())
    message_type = f"{HTTP_FILTERS}.json_to_metadata.v3.JsonToMetadata"
    options = {"@type": message_type, "request_rules": {"rules": rules, "allow_content_types_regex": JSON_TYPE}}
    compared = any(endpoint.experiments for endpoint in endpoints)
    read = answers_filter(protocols, compared=compared, reading=bool(rules))
    return {**({BODY_FIELDS: options} if rules else {}), **read}


def model_paths(endpoints: Sequence[Endpoint], backends: dict[str, Backend]) -> list[str]:
    """The parts of paths that may name the model of these endpoints' requests; none where no model decides."""
    if not any(endpoint.models for endpoint in endpoints):
        return []
    return list(
        dict.fromkeys(protocol.model_in_path for protocol in _protocols(endpoints, backends) if protocol.model_in_path)
    )


def address_filter(
    endpoints: Sequence[Endpoint], backends: dict[str, Backend], *, models: Sequence[str] = ()
) -> Message:
    """What is taken from cookies, paths and headers of answers for requests that may be one of these endpoints'."""
    protocols = _protocols(endpoints, backends)
    request_rules = [_cookie_rule(name) for name in sorted(set(_cookies(endpoints)))]
    if models:
        request_rules.append(_model_rule(models))
    headers = dict.fromkeys(told for protocol in protocols for told in protocol.headers)
    rules: Message = {}
    if request_rules:
        rules["request_rules"] = request_rules
    if headers:
        rules["response_rules"] = [_header_rule(name, count) for name, count in headers]
    message_type = f"{HTTP_FILTERS}.header_to_metadata.v3.Config"
    return {ADDRESS_FIELDS: {"@type": message_type, **rules}} if rules else {}


def value_field(name: str) -> str:
    """The field that tells whether what a body's field of this name holds is a text, a number or a truth."""
    return f"value {name}"


def cookie_field(name: str) -> str:
    """The field that holds a cookie of this name."""
    return f"cookie {name}"


def reads_requests(endpoints: Iterable[Endpoint]) -> bool:
    """Whether bodies of requests decide anything on endpoints, so that they have to be read."""
    return any(endpoint.unit.source is UnitSource.BODY or endpoint.models for endpoint in endpoints)


def reads_answers(endpoint: Endpoint, backends: dict[str, Backend]) -> bool:
    """Whether anything is read of the bodies of an endpoint's answers."""
    return bool(answers_filter(_protocols([endpoint], backends)))


def _protocols(endpoints: Iterable[Endpoint], backends: dict[str, Backend]) -> list[Protocol]:
    """The protocols of all backends that may answer, in the order of the registry."""
    found = {backends[key].protocol for endpoint in endpoints for key in _answering(endpoint, backends)}
    return [protocol for protocol in PROTOCOLS.values() if protocol.key in found]


def _answering(endpoint: Endpoint, backends: dict[str, Backend]) -> Iterator[str]:
    own = {endpoint.backend}
    own |= {arm.backend for experiment in endpoint.experiments for arm in experiment.arms}
    own |= {tier.backend for tier in endpoint.tiers} | {shadow.backend for shadow in endpoint.shadows}
    own |= {rule.backend for rule in endpoint.rules}
    for key in own:
        fallback = backends[key].fallback
        yield from (key,) if fallback is None else (key, fallback)


def _cookies(endpoints: Iterable[Endpoint]) -> Iterable[str]:
    for endpoint in endpoints:
        if endpoint.unit.source is UnitSource.COOKIE:
            yield endpoint.unit.name
        if endpoint.unit.anonymous:
            yield COOKIE


def _cookie_rule(name: str) -> Message:
    present: Message = {"metadata_namespace": FIELDS, "key": cookie_field(name), "type": "STRING"}
    if name == COOKIE:
        # What the edge never gave anybody is nobody's unit.
        given = {"pattern": {"regex": r"^(?:([0-9a-f-]{36})|\C*)$"}, "substitution": r"\1"}
        present["regex_value_rewrite"] = given
    return {"cookie": name, "on_header_present": present}


def _model_rule(paths: Sequence[str]) -> Message:
    """One rule for all, which finds nothing in any other path: what does not match would be the model as a whole."""
    found = {
        "pattern": {"regex": f"^(?:.*(?:{'|'.join(paths)}).*|.*)$"},
        "substitution": "".join(rf"\{group}" for group in range(1, len(paths) + 1)),
    }
    present = {"metadata_namespace": FIELDS, "key": MODEL, "type": "STRING", "regex_value_rewrite": found}
    return {"header": ":path", "on_header_present": present}


def _header_rule(name: str, count: str) -> Message:
    return {"header": name, "on_header_present": {"metadata_namespace": FACTS, "key": count, "type": "NUMBER"}}


def _rule(path: Sequence[str], namespace: str, key: str, kind: str) -> Message:
    target = {"metadata_namespace": namespace, "key": key, "type": kind}
    return {"selectors": [{"key": step} for step in path], "on_present": target}


def _asked_rule() -> Message:
    """Whether a stream is asked for; only looked at where bodies are read for something else."""
    rule = _rule((STREAM,), FACTS, ASKED, "PROTOBUF_VALUE")
    return {**rule, "on_missing": {"metadata_namespace": FACTS, "key": ASKED, "value": False}}
