"""Requests that can be read: what no text can hold is refused before anything is looked up by it or stored."""

import codecs
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse

from controlplane.api.error_answers import is_of_a_program, refuse
from controlplane.problems.errors import FieldProblem, InvalidInput
from controlplane.problems.strict_json import unstorable

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class ReadableRequestMiddleware:
    """Looks at path, query, headers, cookies and forms; the parser of JSON does the same for what it reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.content_type in FORMS and not _is_utf8(request.content_params or {}):
            return refuse(request, _unreadable("content-type", "Send forms as UTF-8."))
        request.encoding = "utf-8"
        for place, text in _texts(request):
            if unstorable(text):
                return refuse(request, _unreadable(place, unstorable(text)))
        return self.get_response(request)


def _is_utf8(parameters: dict[str, str]) -> bool:
    try:
        return codecs.lookup(parameters.get("charset", "utf-8")).name in ("utf-8", "ascii")
    except LookupError:
        return False


def _texts(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Every text of the request, with what it is called."""
    yield "path", request.path_info
    for name, value in request.headers.items():
        yield name, value
    for name, value in request.COOKIES.items():
        yield "cookie", name + value
    for form in (request.GET,) if is_of_a_program(request) else (request.GET, request.POST):
        for name, values in form.lists():
            yield name, name + "".join(values)


def _unreadable(place: str, message: str) -> InvalidInput:
    return InvalidInput(
        "unreadable-request",
        f"The request cannot be read: {place}: {message}",
        next_step="Correct what `problems` names and send it again.",
        problems=(FieldProblem(place, message),),
    )
