"""Pages of access keys: issue one, shown once; revoke one."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.models import Right
from controlplane.storage.keyed import KEY_VALIDATOR
from controlplane.web.issuing import days_field, end_of, issuing_page
from controlplane.web.pages import acting, done, requires
from routing.models import AccessKey, Endpoint
from routing.publishing.require_told import require_told
from routing.resources.issue_key import issue_key, revoke_key
from routing.views.confirmation import tell_confirmation


class AccessKeyForm(forms.Form):
    """Whom a key is for, and what it opens."""

    client = forms.CharField(
        max_length=63, validators=[KEY_VALIDATOR], help_text="Name of the client in logs, like mobile-app."
    )
    endpoints = forms.ModelMultipleChoiceField(
        Endpoint.objects.all(),
        to_field_name="key",
        required=False,
        help_text="None chosen: all that ask for keys. A key for tests counts at others too.",
    )
    for_tests = forms.BooleanField(
        required=False,
        label="For tests",
        help_text="Whoever sends it as x-sluice-key may choose a variant, unreleased ones too, and have it explained.",
    )
    days = days_field()


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.PLAN)
def access_key_list(request: HttpRequest) -> HttpResponse:
    """All keys; one that is issued is shown on this answer and never again."""
    keys = AccessKey.objects.prefetch_related("endpoints")
    return issuing_page(request, "routing/access_keys.html", AccessKeyForm, partial(_issue, request), keys=keys)


@require_POST
@requires(Right.PLAN)
def access_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a key useless."""
    key = get_object_or_404(AccessKey, pk=pk)
    if done(request, lambda: _revoke(request, key), f"The key {key} is revoked."):
        tell_confirmation(request)
    return redirect("access-key-list")


def _revoke(request: HttpRequest, key: AccessKey) -> None:
    revoke_key(key, actor=acting(request))
    require_told()


def _issue(request: HttpRequest, data: Mapping[str, Any]) -> str:
    return issue_key(
        data["client"],
        endpoints=list(data["endpoints"]),
        expires_at=end_of(data["days"]),
        for_tests=data["for_tests"],
        actor=acting(request),
    )
