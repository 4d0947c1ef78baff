"""What every page does the same way: who acts, who may, and how a refusal is shown."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from controlplane.audit.actors import Actor, actor_of
from controlplane.models import Right, User
from controlplane.problems.errors import NotAllowed, SluiceError

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


def acting(request: HttpRequest) -> Actor:
    """The person who sent the request. Raises `PermissionDenied` when nobody is logged in."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Log in first.")
    return actor_of(request.user)


def requires(right: Right) -> Callable[[View[Arguments]], View[Arguments]]:
    """Answer with the 403 page unless the person has the right."""

    def guard(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
            try:
                acting(request).require_anywhere(right)
            except NotAllowed as error:
                raise PermissionDenied(str(error)) from error
            return view(request, *args, **kwargs)

        return guarded

    return guard


def page(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A rendered page that knows which buttons the person may see."""
    actor = acting(request)
    may = frozenset(right for right in Right if actor.may(right))
    return render(request, template, {"may": may, **context}, status=status)


def accepted(form: BaseForm, action: Callable[[], object]) -> bool:
    """Run an action behind a valid form; what it refuses is shown beside the fields that it names."""
    try:
        action()
    except SluiceError as error:
        show_refusal(form, error)
        return False
    return True


def show_refusal(form: BaseForm, error: SluiceError) -> None:
    """Put each problem beside its field, and above the form what names no field of it."""
    elsewhere = [problem for problem in error.problems if problem.field not in form.fields]
    for problem in error.problems:
        if problem.field in form.fields:
            form.add_error(problem.field, problem.message)
    if elsewhere or not error.problems:
        form.add_error(None, f"{error.detail} {error.next_step}")


def done(request: HttpRequest, action: Callable[[], object], success: str) -> bool:
    """Run an action behind a button, and say on the next page how it went."""
    try:
        action()
    except SluiceError as error:
        messages.error(request, f"{error.detail} {error.next_step}")
        return False
    messages.success(request, success)
    return True
