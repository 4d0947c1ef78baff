"""Fields of bodies, cookies and paths that become metadata of the request."""

from collections.abc import Iterable, Sequence

from routing.envoy.names import ADDRESS_FIELDS, BODY_FIELDS, COOKIE, FACTS, FIELDS, HTTP_FILTERS, Message
from routing.table import Backend, Endpoint, UnitSource, segments

MODEL = "model"
USAGE = {"prompt_tokens": ("usage", "prompt_tokens"), "completion_tokens": ("usage", "completion_tokens")}

# `/v2/models/<name>/infer` of KServe and Triton, `/openai/deployments/<name>/…` of Azure.
MODEL_IN_PATH = r"^.*/(?:models|deployments)/([^/:?]+).*$"


def usage_rules() -> list[Message]:
    """Rules that take the token counts of an OpenAI answer."""
    return [_rule(path, FACTS, key, "NUMBER") for key, path in USAGE.items()]


def body_filter(endpoints: Sequence[Endpoint], backends: dict[str, Backend]) -> Message:
    """What the body filter does for requests that may be one of these endpoints'; nothing where no body decides.

    Bodies are read only where they hold something: reading means that Envoy keeps them whole.
    """
    wanted = {endpoint.unit.name for endpoint in endpoints if endpoint.unit.source is UnitSource.BODY}
    request_rules = [_rule(name.split("."), FIELDS, name, "STRING") for name in sorted(wanted)]
    if any(endpoint.models for endpoint in endpoints):
        request_rules.append(_rule((MODEL,), FIELDS, MODEL, "STRING"))
    rules: Message = {}
    if request_rules:
        rules["request_rules"] = {"rules": request_rules}
    if any(_tells_tokens(endpoint, backends) for endpoint in endpoints):
        rules["response_rules"] = {"rules": usage_rules()}
    kind = f"{HTTP_FILTERS}.json_to_metadata.v3.JsonToMetadata"
    return {BODY_FIELDS: {"@type": kind, **rules}} if rules else {}


def address_filter(endpoints: Sequence[Endpoint]) -> Message:
    """What is taken from cookies and paths for requests that may be one of these endpoints'."""
    rules = [_cookie_rule(name) for name in sorted(set(_cookies(endpoints)))]
    if any(endpoint.models for endpoint in endpoints):
        rules.append(_model_rule())
    kind = f"{HTTP_FILTERS}.header_to_metadata.v3.Config"
    return {ADDRESS_FIELDS: {"@type": kind, "request_rules": rules}} if rules else {}


def cookie_field(name: str) -> str:
    """The field that holds a cookie of this name."""
    return f"cookie {name}"


def _tells_tokens(endpoint: Endpoint, backends: dict[str, Backend]) -> bool:
    own = {segment.backend for segment in segments(endpoint)} | {tier.backend for tier in endpoint.tiers}
    return any(backends[key].protocol == "openai" for key in own)


def _cookies(endpoints: Iterable[Endpoint]) -> Iterable[str]:
    for endpoint in endpoints:
        if endpoint.unit.source is UnitSource.COOKIE:
            yield endpoint.unit.name
        if endpoint.unit.anonymous:
            yield COOKIE


def _cookie_rule(name: str) -> Message:
    present = {"metadata_namespace": FIELDS, "key": cookie_field(name), "type": "STRING"}
    return {"cookie": name, "on_header_present": present}


def _model_rule() -> Message:
    found = {"pattern": {"regex": MODEL_IN_PATH}, "substitution": r"\1"}
    present = {"metadata_namespace": FIELDS, "key": MODEL, "type": "STRING", "regex_value_rewrite": found}
    return {"header": ":path", "on_header_present": present}


def _rule(path: Sequence[str], namespace: str, key: str, kind: str) -> Message:
    target = {"metadata_namespace": namespace, "key": key, "type": kind}
    return {"selectors": [{"key": step} for step in path], "on_present": target}
