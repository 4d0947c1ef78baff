"""Which of Envoy's own answers something is for. What Envoy's plain filters cannot look at is said in CEL."""

from routing.envoy.names import Message

CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


def all_of(*conditions: Message) -> Message:
    """Where each of these is so."""
    return conditions[0] if len(conditions) == 1 else {"and_filter": {"filters": list(conditions)}}


def any_of(*conditions: Message) -> Message:
    """Where one of these is so."""
    return {"or_filter": {"filters": list(conditions)}}


def status(code: int) -> Message:
    """An answer with this status."""
    return _status("EQ", code)


def error() -> Message:
    """An answer that says that something went wrong."""
    return _status("GE", 400)


def has_header(name: str) -> Message:
    """A request with this header, whatever it holds."""
    return {"header_filter": {"header": {"name": name, "present_match": True}}}


def header_begins(name: str, prefix: str) -> Message:
    """A request whose header begins so."""
    return {"header_filter": {"header": {"name": name, "string_match": {"prefix": prefix}}}}


def path_holds(pattern: str) -> Message:
    """A request in whose path, without its query, this regular expression finds something."""
    whole = rf"[^?]*(?:{pattern})(?:[/?].*)?"
    return {"header_filter": {"header": {"name": ":path", "string_match": {"safe_regex": {"regex": whole}}}}}


def computed(expression: str) -> Message:
    """Where an expression in CEL is true; one that asks for what is not there is false."""
    return {"extension_filter": {"name": "computed", "typed_config": {"@type": CEL, "expression": expression}}}


def _status(operator: str, code: int) -> Message:
    value = {"default_value": code, "runtime_key": f"sluice.local_reply.{code}"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}
