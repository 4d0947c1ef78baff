"""Every error answers as `application/problem+json` (RFC 9457) with a code and what to do next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from controlplane.problems.errors import FieldProblem, InvalidInput, Missing, SluiceError, Unavailable
from controlplane.problems.problem import Problem
from controlplane.problems.request_ids import current_request_id
from controlplane.problems.request_limits import too_large
from controlplane.problems.strict_json import count_fields

CONTENT_TYPE = "application/problem+json"
MOST_PROBLEMS = 20
LONGEST_TEXT = 500

log = structlog.get_logger(__name__)


def _refusal(status: int, code: str, next_step: str) -> Problem:
    """What an error of the framework is called here, and what to do next; each error says the particulars."""
    return Problem.of_status(status, code, "", next_step)


LOG_IN = "Send `Authorization: Bearer` with a valid token; make one under Tokens."
AGAIN = "Correct the request and send it again."
REFUSALS: dict[type[exceptions.APIException], Problem] = {
    exceptions.NotAuthenticated: _refusal(401, "not-authenticated", LOG_IN),
    exceptions.AuthenticationFailed: _refusal(401, "token-refused", LOG_IN),
    exceptions.PermissionDenied: _refusal(403, "not-allowed", "Ask an admin for a higher role, or log in again."),
    exceptions.NotFound: _refusal(404, "not-found", "Check the list for what exists."),
    exceptions.MethodNotAllowed: _refusal(405, "method-not-allowed", "Use one of the methods in the `Allow` header."),
    exceptions.NotAcceptable: _refusal(406, "not-acceptable", "Ask for `application/json`."),
    exceptions.UnsupportedMediaType: _refusal(415, "unsupported-media-type", "Send the body as `application/json`."),
    exceptions.Throttled: _refusal(429, "too-many-requests", "Wait, then try again."),
    exceptions.ValidationError: _refusal(400, "invalid-input", AGAIN),
    exceptions.APIException: Problem("refused", "Refused", "", AGAIN),
}
FAILURE = SluiceError(
    "internal-error",
    "Sluice failed to answer; the log holds the cause under this request id.",
    next_step="Report it with the request id.",
)
NO_REQUEST = InvalidInput("bad-request", "This is not a valid HTTP request.", next_step=AGAIN)
REMOVED = Missing("not-found", "Somebody has just removed it.", next_step="Check the list for what exists.")


class ProblemResponse(Response):
    """Is JSON, whatever the path answers otherwise."""

    @property
    def rendered_content(self) -> Any:
        """The document."""
        self["Content-Type"] = CONTENT_TYPE
        try:
            return JSONRenderer().render(self.data)
        except UnicodeEncodeError:
            return JSONRenderer().render(_sayable(self.data))


def _sayable(told: Any) -> Any:
    """With a question mark for each half of a letter, which was sent and is quoted, and which no UTF-8 has."""
    if isinstance(told, Mapping):
        return {_sayable(name): _sayable(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_sayable(each) for each in told]
    return told.encode(errors="replace").decode() if isinstance(told, str) else told


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn an exception into an answer; one that nobody expected is logged and says no more than that."""
    set_rollback()
    refusal = as_refusal(error)
    if refusal is not None:
        return _respond(refusal.status, problem(refusal))
    known = _as_api_exception(error)
    if known is not None:
        return _from_api_exception(known)
    log.exception("request failed", path=context["request"].path, exc_info=error)
    return _respond(FAILURE.status, problem(FAILURE))


def as_refusal(error: BaseException) -> SluiceError | None:
    """What is wrong in Sluice's own words, where it is not what the framework says too."""
    match error:
        case SluiceError():
            return error
        case RequestDataTooBig():
            return too_large()
        case BadRequest() | SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return NO_REQUEST
        case ObjectDoesNotExist():
            return REMOVED
        case OperationalError() | InterfaceError() | InternalError():
            log.error("the database does not answer", reason=str(error))
            return _database_away(error)
    return None


def problem(error: SluiceError) -> dict[str, Any]:
    """The document about an error."""
    return _document(error.status, error.problem, error.problems)


def _database_away(error: BaseException) -> Unavailable:
    return Unavailable(
        "database-unavailable",
        f"The database cannot be used now: {error}",
        next_step="Free disk space, or bring it back. `manage.py kill-switch` works without it.",
    )


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, DjangoValidationError):
        detail = error.message_dict if hasattr(error, "error_dict") else error.messages
        return exceptions.ValidationError(detail=detail)
    return None


def _from_api_exception(error: exceptions.APIException) -> Response:
    refusal = next(REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS)
    detail, problems = str(error.detail), tuple[FieldProblem, ...]()
    if isinstance(error, exceptions.ValidationError):
        problems = validation_problems(error)
        detail = f"{count_fields(problems)} not usable: {problems[0].field}: {problems[0].message}"
    answer = _respond(error.status_code, _document(error.status_code, replace(refusal, detail=detail), problems))
    header = getattr(error, "auth_header", None)
    if header:
        answer["WWW-Authenticate"] = header
    return answer


def _document(status: int, whole: Problem, problems: Sequence[FieldProblem]) -> dict[str, Any]:
    """Of many problems the first; of long texts, which repeat what was sent, the beginning."""
    shown = problems[:MOST_PROBLEMS]
    return {
        "type": f"urn:sluice:{whole.code}",
        "title": whole.title,
        "status": status,
        "detail": _short(whole.detail),
        "code": whole.code,
        "next_step": whole.next_step,
        "problems": [field_problem(each) for each in shown],
        "more_problems": len(problems) - len(shown),
        "request_id": current_request_id(),
    }


def validation_problems(error: exceptions.ValidationError) -> tuple[FieldProblem, ...]:
    """All that a serializer refuses."""
    return tuple(_field_problems("", error.detail))


def field_problem(found: FieldProblem) -> dict[str, str | int | None]:
    """One field that was wrong, as an answer names it; of a file with its place."""
    named: dict[str, str | int | None] = {"field": _short(found.field), "message": _short(found.message)}
    if found.line is None:
        return named
    return {**named, "line": found.line, "column": found.column, "allowed": _short(found.allowed)}


def _respond(status: int, document: Mapping[str, Any]) -> Response:
    return ProblemResponse(document, status=status)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _field_problems(path: str, detail: Any) -> Iterator[FieldProblem]:
    """Flatten the nested errors of a serializer to one problem a message."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else f"{path}.{name}".strip(".")
            yield from _field_problems(own, inner)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            yield from _field_problems(path if isinstance(inner, str) else f"{path}.{index}".strip("."), inner)
    else:
        yield FieldProblem(path or "body", str(detail))
