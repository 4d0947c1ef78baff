"""The forms of error that protocols have, and whose clients read which."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routing.envoy.local_replies.conditions import any_of, computed, has_header, header_begins, path_holds
from routing.envoy.local_replies.problems import LocalProblem
from routing.envoy.names import Message
from routing.envoy.notes import noted
from routing.protocols import ErrorForm

PROBLEM_JSON = "application/problem+json"
REQUEST_ID = "%REQ(X-REQUEST-ID)%"

# What a client speaks, told by its path; the prefix that an endpoint adds does not matter.
KSERVE_PATH = r"/v2/(?:models|health|repository)|/v1/models/[^/?]+:[a-z]+"
OPENAI_PATH = r"/v1|/openai/deployments"
ANTHROPIC_PATH = r"/v1/messages"

OPENAI_TYPES = {429: "rate_limit_error"}
ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How a problem is written, `when` a client reads it so, and the headers that belong to it."""

    when: list[Message]
    body: Callable[[LocalProblem], Message]
    headers: tuple[tuple[str, str], ...] = ()


def _members(local: LocalProblem) -> Message:
    """What every answer holds, by RFC 9457."""
    return {
        "type": f"urn:sluice:{local.code}",
        "title": local.problem.title,
        "status": "%RESPONSE_CODE%",
        "detail": local.detail,
        "code": local.code,
        "next_step": local.next_step,
        "request_id": REQUEST_ID,
    }


def _openai(local: LocalProblem) -> Message:
    return {
        "error": {
            "message": local.problem.advice,
            "type": _type(local, OPENAI_TYPES, "server_error"),
            "param": local.parameter,
            "code": local.code,
        }
    }


def _anthropic(local: LocalProblem) -> Message:
    busy = local.code == "backend-busy"
    return {
        "type": "error",
        "error": {
            "type": "overloaded_error" if busy else _type(local, ANTHROPIC_TYPES, "api_error"),
            "message": local.problem.advice,
            "details": {"error_code": local.code},
        },
    }


def _type(local: LocalProblem, types: Mapping[int, str], of_server: str) -> str:
    """What a protocol calls errors of this status: it knows one name for all that are the client's."""
    of_client = 400 <= local.status < 500
    return types.get(local.status, "invalid_request_error" if of_client else of_server)


def _text(local: LocalProblem) -> Message:
    return {"error": local.problem.advice}


def _tgi(local: LocalProblem) -> Message:
    return {"error": local.problem.advice, "error_type": local.code}


def _torchserve(local: LocalProblem) -> Message:
    """The code is the status there; ours is told by `type`."""
    return {"code": "%RESPONSE_CODE%", "message": local.problem.advice}


def _grpc(local: LocalProblem) -> Message:
    """The text becomes the message of the status."""
    return {"text_format_source": {"inline_string": local.problem.advice}, "content_type": "application/grpc"}


def _json(members: Message) -> Message:
    return {"json_format": members, "content_type": PROBLEM_JSON}


def _as_problem(form: Callable[[LocalProblem], Message]) -> Callable[[LocalProblem], Message]:
    return lambda local: _json({**_members(local), **form(local)})


def _serves(form: ErrorForm) -> Message:
    """Requests of an endpoint whose backend has this form of error."""
    return computed(f"{noted('errors')} == '{form}'")


FORMS = (
    Form([header_begins("content-type", "application/grpc")], _grpc),
    Form(
        [any_of(has_header("anthropic-version"), path_holds(ANTHROPIC_PATH), _serves(ErrorForm.ANTHROPIC))],
        _as_problem(_anthropic),
        (("request-id", REQUEST_ID),),
    ),
    Form([path_holds(KSERVE_PATH)], _as_problem(_text)),
    Form([path_holds(OPENAI_PATH)], _as_problem(_openai)),
    Form([_serves(ErrorForm.TEXT)], _as_problem(_text)),
    Form([_serves(ErrorForm.TGI)], _as_problem(_tgi)),
    Form([_serves(ErrorForm.TORCHSERVE)], _as_problem(_torchserve)),
    Form([], _as_problem(_openai)),
)
"""The first that matches counts. A path is looked at where servers of one kind speak several protocols."""
