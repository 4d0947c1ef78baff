"""What is answered where no view came to answer: a page to people, a problem to programs."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from controlplane.api.problems import CONTENT_TYPE, FAILURE, as_refusal, problem
from controlplane.problems.errors import Missing, NotAllowed, SluiceError

BELOW_THE_API = re.compile(r"/(api|ofrep)(/|$)")


def is_of_a_program(request: HttpRequest) -> bool:
    """Whether the path belongs to the API, and not to pages."""
    return bool(BELOW_THE_API.match(request.path))


class RefusalMiddleware:
    """Shows what a page was refused where its view did not: a race that it lost, a part that does not answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The refusal; None for what Django knows and for what nobody expected."""
        refusal = as_refusal(exception)
        return None if refusal is None else refuse(request, refusal)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before a view sees it."""
    refusal = as_refusal(exception)
    assert refusal is not None  # noqa: S101 - of those that Django hands over here, each is known
    return refuse(request, refusal)


def refuse(request: HttpRequest, error: SluiceError) -> HttpResponse:
    """A refusal of a whole request, whatever it was for."""
    return _answer(request, error, lambda: render(request, "400.html", {"error": error}, status=error.status))


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Who may not do it."""
    error = NotAllowed("not-allowed", "You may not do this.", next_step="Ask an admin for a higher role.")
    return _answer(request, error, lambda: defaults.permission_denied(request, exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A path that there is not."""
    detail = f"There is nothing at {request.path}; paths of the API have no slash at the end."
    error = Missing("not-found", detail, next_step="Check the list for what exists.")
    return _answer(request, error, lambda: defaults.page_not_found(request, exception))


def failed(request: HttpRequest) -> HttpResponse:
    """What nobody expected; Django has logged it."""
    return _answer(request, FAILURE, lambda: defaults.server_error(request))


def _answer(request: HttpRequest, error: SluiceError, page: Callable[[], HttpResponse]) -> HttpResponse:
    if not is_of_a_program(request):
        return page()
    return JsonResponse(problem(error), status=error.status, content_type=CONTENT_TYPE)
