"""Every error answers as `application/problem+json` (RFC 9457) with a code and what to do next."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from controlplane.errors import FieldProblem, SluiceError, Unavailable
from controlplane.requests import current_request_id

CONTENT_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)

NEXT_STEPS = {
    400: "Correct the request and send it again.",
    401: "Send `Authorization: Bearer` with a token that lives; make one under Tokens.",
    403: "Ask an admin for a higher role, or log in again.",
    404: "Look at the list for what exists.",
    405: "Use one of the methods in the `Allow` header.",
    406: "Ask for `application/json`.",
    415: "Send the body as `application/json`.",
    429: "Wait, then try again.",
}
CODES = {
    exceptions.NotAuthenticated: "not-authenticated",
    exceptions.AuthenticationFailed: "token-refused",
    exceptions.PermissionDenied: "not-allowed",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.ParseError: "unreadable-body",
    exceptions.ValidationError: "invalid-input",
}


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn an exception into an answer; one that nobody expected is logged and says no more than that."""
    set_rollback()
    if isinstance(error, SluiceError):
        return _respond(error.status, error.title, error.code, error.detail, error.next_step, error.problems)
    if isinstance(error, OperationalError | InterfaceError | InternalError):
        log.exception("the database does not answer", path=context["request"].path, exc_info=error)
        return answer_problem(_database_away(error), context)
    known = _as_api_exception(error)
    if known is not None:
        return _from_api_exception(known)
    log.exception("request failed", path=context["request"].path, exc_info=error)
    detail = "Sluice failed to answer; the log holds the cause under this request id."
    return _respond(500, "Internal error", "internal-error", detail, "Report it with the request id.", ())


def _database_away(error: Exception) -> Unavailable:
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
    code = CODES.get(type(error), "refused")
    problems: tuple[FieldProblem, ...] = ()
    detail = _unreadable(error) if isinstance(error, exceptions.ParseError) else str(error.detail)
    if isinstance(error, exceptions.ValidationError):
        problems = tuple(_field_problems("", error.detail))
        count = "One field is" if len(problems) == 1 else f"{len(problems)} fields are"
        detail = f"{count} not usable: {problems[0].field}: {problems[0].message}"
    next_step = NEXT_STEPS.get(error.status_code, NEXT_STEPS[status.HTTP_400_BAD_REQUEST])
    answer = _respond(error.status_code, str(error.default_detail), code, detail, next_step, problems)
    header = getattr(error, "auth_header", None)
    if header:
        answer["WWW-Authenticate"] = header
    return answer


def _respond(
    status_code: int, title: str, code: str, detail: str, next_step: str, problems: Sequence[FieldProblem]
) -> Response:
    body = {
        "type": f"urn:sluice:{code}",
        "title": title,
        "status": status_code,
        "detail": detail,
        "code": code,
        "next_step": next_step,
        "problems": [{"field": problem.field, "message": problem.message} for problem in problems],
        "request_id": current_request_id(),
    }
    return Response(body, status=status_code, content_type=CONTENT_TYPE)


def _unreadable(error: exceptions.ParseError) -> str:
    """Where the JSON breaks off, if that is what is wrong."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, json.JSONDecodeError):
        return f"The body is not JSON: {cause.msg} at line {cause.lineno}, column {cause.colno}."
    return str(error.detail)


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
