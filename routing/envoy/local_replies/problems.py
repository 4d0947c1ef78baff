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


def _local(
    status: int,
    code: str,
    detail: str,
    next_step: str,
    *,
    if_also: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    parameter: str | None = None,
) -> LocalProblem:
    problem = Problem.of_status(status, code, detail, next_step)
    return LocalProblem(status, problem, if_also, headers, parameter)


def _refused(code: str, detail: str, next_step: str, *, status: int = 401) -> LocalProblem:
    """Why a script refused a request."""
    reason = f"metadata.filter_metadata['{FIELDS}']['{REFUSED}'] == '{code}'"
    return _local(status, code, detail, next_step, if_also=reason)


PROBLEMS = (
    _local(400, "bad-request", "This is not valid HTTP.", "Send a valid HTTP request."),
    _refused(
        "key-missing",
        f"This endpoint asks for {note('asks_for')}.",
        "Send it by `Authorization: Bearer`, or a key by `x-api-key`; ask for one if you have none.",
    ),
    _refused(
        "key-unknown",
        "This key is unknown, revoked or expired.",
        "Check that it was copied whole, or ask for a new one.",
    ),
    _refused("token-expired", "This token has expired.", "Get a new one from its issuer."),
    _refused("token-early", "This token is not valid yet.", "Send it later, or check the clock of its issuer."),
    _refused(
        "token-unknown",
        "This token was not issued for this endpoint, or does not say when it ends.",
        "Get one for this endpoint, from the issuer that it trusts.",
    ),
    _refused(
        "variant-refused",
        "This request may not choose its variant.",
        "Leave `x-sluice-variant` out, or send a key for tests as `x-sluice-key`; ask for one if you have none.",
        status=403,
    ),
    _local(
        403,
        "upgrade-refused",
        "This endpoint does not change to the protocol that `Upgrade` names.",
        "Speak HTTP or WebSocket.",
    ),
    _local(
        404,
        "model-unknown",
        f'No endpoint on this path serves the model "%DYNAMIC_METADATA({FIELDS}:{MODEL})%".',
        "Check the model's name; the control plane lists the endpoints.",
        if_also=f"{noted('model_decides')} && size({_MODEL}) <= {LONGEST_MODEL}",
        parameter=MODEL,
    ),
    _local(
        404,
        "model-unknown",
        f"No endpoint on this path serves a model whose name has more than {LONGEST_MODEL} characters.",
        "Check the model's name; the control plane lists the endpoints.",
        if_also=f"{noted('model_decides')} && size({_MODEL}) > {LONGEST_MODEL}",
        parameter=MODEL,
    ),
    _local(
        404,
        "no-endpoint",
        "The model decides which endpoint on this path answers, and this request names none.",
        "Send `model` in a body of JSON, with `content-type: application/json` and without numbers of 2^63 or more.",
        if_also=noted("model_decides"),
        parameter=MODEL,
    ),
    _local(
        404,
        "no-endpoint",
        "No endpoint of this edge matches the path of this request.",
        "Check the path, and the host, method and headers that the endpoint asks for; the control plane lists all.",
    ),
    _local(405, "method-refused", "The edge does not pass TRACE on.", "Use another method."),
    _local(
        408,
        "request-timeout",
        "The edge waited for the rest of this request, and it did not come.",
        "Send the whole request without a pause.",
    ),
    _local(
        413,
        "request-too-large",
        f"This endpoint takes requests of at most {note('largest_body')}.",
        "Send less, or ask for a higher limit.",
    ),
    _local(
        415,
        "body-compressed",
        "This endpoint reads the body of a request, and this one is compressed.",
        "Send it as it is, without `Content-Encoding`.",
    ),
    _local(426, "http-too-old", "The edge does not speak HTTP/1.0.", "Use HTTP/2, or HTTP/1.1."),
    _local(
        429,
        "rate-limited",
        "The rate limit of this endpoint is used up.",
        "Wait as long as `Retry-After` says, in seconds.",
    ),
    _local(
        431,
        "headers-too-large",
        "The headers of this request have more than 60 KiB.",
        "Send less than 60 KiB of headers.",
    ),
    _local(
        501,
        "transfer-unknown",
        "The edge reads only bodies of a known length or in chunks.",
        "Leave `Transfer-Encoding` out, or send `chunked`.",
    ),
    _local(
        502,
        "backend-broken",
        "The backend's answer is not valid HTTP.",
        "Try again; if it lasts, check the backend.",
    ),
    _local(
        503,
        "backend-busy",
        "The backend has as many requests under way as it takes at once.",
        "Try again in a second.",
        if_also="response.code_details.contains('overflow')",
        headers=((RETRY_AFTER, "1"),),
    ),
    _local(
        503,
        "backend-unavailable",
        "The backend cannot be reached, or broke the connection off before it answered.",
        "Try again in some seconds; if it lasts, check the backend.",
        headers=((RETRY_AFTER, "2"),),
    ),
    _local(
        504,
        "backend-timeout",
        "The backend did not answer within the endpoint's time limit.",
        "Ask for less, or raise the endpoint's time limit.",
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
