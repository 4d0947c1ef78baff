"""Every web request carries an id, which the audit trail and the logs repeat."""

import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from controlplane.problems.used_token import forget_token

REQUEST_ID_HEADER = "X-Request-Id"
LONGEST_REQUEST_ID = 64


class RequestIdMiddleware:
    """Takes the caller's request id or makes one, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.headers.get(REQUEST_ID_HEADER, "")[:LONGEST_REQUEST_ID] or uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                response = self.get_response(request)
            finally:
                forget_token()
        response[REQUEST_ID_HEADER] = request_id
        return response


def current_request_id() -> str:
    """The id of the request that this code serves; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
