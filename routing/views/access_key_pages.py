"""Pages of access keys: issue one, shown once; revoke one."""

from datetime import timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.models import Role
from controlplane.storage.keyed import KEY_VALIDATOR
from controlplane.web.pages import accepted, acting, done, page, requires
from routing.models import AccessKey, Endpoint
from routing.publishing.require_told import require_told
from routing.resources.issue_key import issue_key, revoke_key

LONGEST_DAYS = 3650


class AccessKeyForm(forms.Form):
    """Whom a key is for, and what it opens."""

    client = forms.CharField(
        max_length=63, validators=[KEY_VALIDATOR], help_text="Who calls, as logs name it, like mobile-app."
    )
    endpoints = forms.ModelMultipleChoiceField(
        Endpoint.objects.all(),
        to_field_name="key",
        required=False,
        help_text="None chosen: all that ask for keys.",
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        label="Valid for, days",
        help_text="Empty means until it is revoked.",
    )


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def access_key_list(request: HttpRequest) -> HttpResponse:
    """All keys; one that is issued is shown on this answer and never again."""
    form = AccessKeyForm(request.POST or None)
    issued: list[str] = []
    if form.is_valid() and accepted(form, lambda: issued.append(_issue(request, form))):
        form = AccessKeyForm()
    keys = AccessKey.objects.prefetch_related("endpoints")
    context = {"form": form, "keys": keys, "now": timezone.now(), "issued": issued[0] if issued else ""}
    return page(request, "routing/access_keys.html", context)


@require_POST
@requires(Role.OPERATOR)
def access_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a key useless."""
    key = get_object_or_404(AccessKey, pk=pk)
    done(request, lambda: _revoke(request, key), f"The key {key} is revoked.")
    return redirect("access-key-list")


def _revoke(request: HttpRequest, key: AccessKey) -> None:
    revoke_key(key, actor=acting(request))
    require_told()


def _issue(request: HttpRequest, form: AccessKeyForm) -> str:
    data = form.cleaned_data
    return issue_key(
        data["client"],
        endpoints=list(data["endpoints"]),
        expires_at=timezone.now() + timedelta(days=data["days"]) if data["days"] else None,
        actor=acting(request),
    )
