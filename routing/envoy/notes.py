"""What a route notes for the answers that Envoy gives by itself.

A note is the route's own metadata: it is looked at when such an answer is made, and costs no other request anything.
"""

from routing.envoy.names import NOTES, Message
from routing.protocols import PROTOCOLS
from routing.table import LARGEST_BODY, Access, Backend, Endpoint

MIB = 1 << 20
# Of a route whose endpoints are told apart by the model.
MODEL_DECIDES = {"model_decides": True}


def metadata(*parts: Message) -> Message:
    """The metadata of a route: several namespaces, none of them twice."""
    merged: Message = {}
    for part in parts:
        merged |= part
    return {"metadata": {"filter_metadata": merged}}


def notes(endpoint: Endpoint, backends: dict[str, Backend], **more: object) -> Message:
    """The form of errors of whoever calls this endpoint, how much it takes, and what it asks of who calls."""
    content = {
        "errors": PROTOCOLS[backends[endpoint.backend].protocol].errors,
        "largest_body": bytes_in_words(endpoint.limits.body_bytes or LARGEST_BODY),
        **({} if endpoint.access is None else {"asks_for": _asked_for(endpoint.access)}),
        **more,
    }
    return {NOTES: content}


def note(name: str) -> str:
    """A note of the request's route, as Envoy's formats write it."""
    return f"%METADATA(ROUTE:{NOTES}:{name})%"


def noted(name: str) -> str:
    """A note of the request's route in CEL; an error, and so no match, where the route has none."""
    return f"xds.route_metadata.filter_metadata['{NOTES}']['{name}']"


def bytes_in_words(count: int) -> str:
    """A number of bytes as people read it.

    >>> bytes_in_words(2_000), bytes_in_words(32 << 20), bytes_in_words(1)
    ('2 000 bytes', '32 MiB', '1 byte')
    """
    if count >= MIB and count % MIB == 0:
        return f"{count // MIB} MiB"
    return f"{count:,} byte{'' if count == 1 else 's'}".replace(",", " ")


def _asked_for(access: Access) -> str:
    if access.issuer is None:
        return "a key"
    return "a key or a token" if access.keys else "a token"
