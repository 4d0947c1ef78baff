"""Pages that issue secrets: each is shown once, on the answer to the form, and can be revoked."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from controlplane.web.pages import accepted, page

LONGEST_DAYS = 3650


def days_field() -> forms.IntegerField:
    """For how many days a secret is valid."""
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        label="Valid for, days",
        help_text="Empty means until it is revoked.",
    )


def end_of(days: int | None) -> datetime | None:
    """When so many days are over; None means never."""
    return timezone.now() + timedelta(days=days) if days else None


def issuing_page(
    request: HttpRequest,
    template: str,
    make_form: Callable[[Mapping[str, Any] | None], forms.Form],
    issue: Callable[[dict[str, Any]], str],
    **listed: Any,
) -> HttpResponse:
    """The form and, once it is accepted, an empty one with the secret; below it the list of what was issued."""
    form = make_form(request.POST or None)
    secrets: list[str] = []
    shown: dict[str, Any] = {}
    if form.is_valid() and accepted(form, lambda: secrets.append(issue(form.cleaned_data))):
        shown = {"secret": secrets[0], "issued": form.cleaned_data}
        form = make_form(None)
    return page(request, template, {**listed, **shown, "form": form, "now": timezone.now()})
