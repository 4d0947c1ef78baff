"""What an edge answers by itself, in the order in which it is looked for: none of it says what is behind the edge."""

from dataclasses import dataclass

from controlplane.problems.problem import HasProblem, Problem
from routing.envoy.fields import MODEL
from routing.envoy.local_replies.conditions import computed, error, status
from routing.envoy.names import FIELDS, REFUSED, RETRY_AFTER, Message
from routing.envoy.notes import note, noted

LONGEST_MODEL = 100
"""Characters of a model's name that are said again to whoever sent it."""

_MODEL = f"metadata.filter_metadata['{FIELDS}']['{MODEL}']"


@dataclass(frozen=True, slots=True)
class LocalProblem(HasProblem):
    """A problem whose texts are in Envoy's formats; with a status of 0 it is for all that no other is for.

    `if_also` says in CEL which of the answers of its status it is for, `parameter` what of the request is wrong.
    """

    status: int
    problem: Problem
    if_also: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    parameter: str | None = None

    @property
    def when(self) -> list[Message]:
        """Which of Envoy's own answers it is for."""
        by_status = status(self.status) if self.status else error()
        return [by_status, computed(self.if_also)] if self.if_also else [by_status]


def _refused(code: str, detail: str, next_step: str) -> LocalProblem:
    """Why the script of the gate refused a request."""
    reason = f"metadata.filter_metadata['{FIELDS}']['{REFUSED}'] == '{code}'"
    return LocalProblem(401, Problem(code, "Unauthorized", detail, next_step), if_also=reason)


PROBLEMS = (
    LocalProblem(
        400,
        Problem("bad-request", "Bad request", "This is not valid HTTP.", "Send a valid HTTP request."),
    ),
    _refused(
        "key-missing",
        f"This endpoint asks for {note('asks_for')}.",
        "Send `Authorization: Bearer <it>`, or a key as `x-api-key`; ask for one if you have none.",
    ),
    _refused(
        "key-unknown",
        "This key is not known here, or no longer.",
        "Check that it was copied whole, or ask for a new one.",
    ),
    _refused("token-expired", "This token has expired.", "Get a new one from whoever issued it."),
    _refused("token-early", "This token is not valid yet.", "Send it later, or check the clock of whoever issued it."),
    _refused(
        "token-unknown",
        "This token was not issued for this endpoint, or does not say when it ends.",
        "Get one for it, from the issuer that it trusts.",
    ),
    LocalProblem(
        403,
        Problem(
            "upgrade-refused",
            "Not this protocol",
            "This endpoint does not change to the protocol that `Upgrade` names.",
            "Speak HTTP or WebSocket.",
        ),
    ),
    LocalProblem(
        404,
        Problem(
            "model-unknown",
            "No such model here",
            f'No endpoint on this path serves the model "%DYNAMIC_METADATA({FIELDS}:{MODEL})%".',
            "Check the model's name; the control plane lists the endpoints.",
        ),
        if_also=f"{noted('model_decides')} && size({_MODEL}) <= {LONGEST_MODEL}",
        parameter=MODEL,
    ),
    LocalProblem(
        404,
        Problem(
            "model-unknown",
            "No such model here",
            f"No endpoint on this path serves a model whose name has more than {LONGEST_MODEL} characters.",
            "Check the model's name; the control plane lists the endpoints.",
        ),
        if_also=f"{noted('model_decides')} && size({_MODEL}) > {LONGEST_MODEL}",
        parameter=MODEL,
    ),
    LocalProblem(
        404,
        Problem(
            "no-endpoint",
            "No endpoint here",
            "This request names no model, and the endpoints on this path are told apart by it.",
            "Send `model` in a body of JSON, with `content-type: application/json`.",
        ),
        if_also=noted("model_decides"),
        parameter=MODEL,
    ),
    LocalProblem(
        404,
        Problem(
            "no-endpoint",
            "No endpoint here",
            "No endpoint of this edge matches the path of this request.",
            "Check the path, and the host, method and headers that the endpoint asks for; the control plane lists all.",
        ),
    ),
    LocalProblem(
        405,
        Problem("method-refused", "Not this method", "An edge passes no TRACE on.", "Use another method."),
    ),
    LocalProblem(
        408,
        Problem(
            "request-timeout",
            "The request did not arrive",
            "The edge waited for the rest of this request, and it did not come.",
            "Send the whole request without a pause.",
        ),
    ),
    LocalProblem(
        413,
        Problem(
            "request-too-large",
            "The request is too large",
            f"This endpoint takes requests of at most {note('largest_body')}.",
            "Send less, or ask for a higher limit.",
        ),
    ),
    LocalProblem(
        415,
        Problem(
            "body-compressed",
            "The body is compressed",
            "This endpoint reads the body of a request, and this one is compressed.",
            "Send it as it is, without `Content-Encoding`.",
        ),
    ),
    LocalProblem(
        426,
        Problem("http-too-old", "HTTP is too old", "An edge does not speak HTTP/1.0.", "Use HTTP/2, or HTTP/1.1."),
    ),
    LocalProblem(
        429,
        Problem(
            "rate-limited",
            "Too many requests",
            "There were more requests than the endpoint takes in this time.",
            "Wait as long as `Retry-After` says, in seconds.",
        ),
    ),
    LocalProblem(
        431,
        Problem(
            "headers-too-large",
            "The headers are too large",
            "The headers of this request have more than 60 KiB.",
            "Send less than 60 KiB of headers.",
        ),
    ),
    LocalProblem(
        501,
        Problem(
            "transfer-unknown",
            "Not this transfer encoding",
            "An edge reads bodies of a known length or in chunks alone.",
            "Leave `Transfer-Encoding` out, or send `chunked`.",
        ),
    ),
    LocalProblem(
        502,
        Problem(
            "backend-broken",
            "Bad gateway",
            "The backend's answer is not valid HTTP.",
            "Try again; if it lasts, check the backend.",
        ),
    ),
    LocalProblem(
        503,
        Problem(
            "backend-busy",
            "The model's backend has as much to do as it may",
            "As many requests as the backend takes at once are under way.",
            "Try again in a second.",
        ),
        if_also="response.code_details.contains('overflow')",
        headers=((RETRY_AFTER, "1"),),
    ),
    LocalProblem(
        503,
        Problem(
            "backend-unavailable",
            "The model's backend does not answer",
            "The backend cannot be reached, or broke the connection off before it answered.",
            "Try again in some seconds; if it lasts, check the backend.",
        ),
        headers=((RETRY_AFTER, "2"),),
    ),
    LocalProblem(
        504,
        Problem(
            "backend-timeout",
            "The model took too long",
            "The backend did not answer within the endpoint's time limit.",
            "Ask for less, or raise the endpoint's time limit.",
        ),
    ),
    LocalProblem(
        0,
        Problem(
            "edge-failed",
            "The edge could not answer",
            "The edge could not pass this request on.",
            "Try again; if it lasts, report it with the request id.",
        ),
    ),
)
