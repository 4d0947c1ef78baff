"""API tokens: create one, shown once; rotate one; revoke one."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.create_token import create_token
from controlplane.accounts.endpoint_choices import endpoint_choices
from controlplane.accounts.revoke_token import revoke_token
from controlplane.accounts.rotate_token import LONGEST_OVERLAP_HOURS, USUAL_OVERLAP_HOURS, rotate_token
from controlplane.models import Right, Role, Token, User
from controlplane.web.issuing import days_field, end_of, issuing_page
from controlplane.web.pages import acting, done


class TokenForm(forms.Form):
    """A new token. It can do no more than its owner."""

    name = forms.CharField(max_length=100, help_text="What it is for, like ci-pipeline.")
    role = forms.ChoiceField()
    scopes = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(right.value, f"{right.value}: {right.label}") for right in Right],
        help_text="Limits it to these. None: all that the role may.",
    )
    networks = forms.CharField(
        required=False,
        max_length=1000,
        help_text="Where it may be used from, like 10.0.0.0/8, 192.0.2.7. Empty means everywhere.",
    )
    endpoints = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=endpoint_choices,
        help_text="Limits it to what belongs to these. None: all there are.",
    )
    days = days_field()

    def __init__(self, data: Mapping[str, Any] | None, *, owner: Role) -> None:
        super().__init__(data)
        choices = [(role.value, role.label) for role in Role if owner.includes(role)]
        self.fields["role"] = forms.ChoiceField(choices=choices)

    def clean_networks(self) -> list[str]:
        """Networks, as they are written."""
        texts = self.cleaned_data["networks"].replace(",", " ").split()
        try:
            return [str(ip_network(text)) for text in texts]
        except ValueError as error:
            raise forms.ValidationError(f"{error}. Write networks like 10.0.0.0/8.") from error

    def clean(self) -> dict[str, Any]:
        """Refuse scopes that the role has not."""
        cleaned = super().clean() or self.cleaned_data
        role, scopes = cleaned.get("role"), cleaned.get("scopes", ())
        beyond = [scope for scope in scopes if role and scope not in Role(role).rights]
        if beyond:
            self.add_error("scopes", f"A {role} has no right to {' or '.join(beyond)}.")
        return cleaned


class RotationForm(forms.Form):
    """How long the old token goes on."""

    hours = forms.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP_HOURS,
        initial=USUAL_OVERLAP_HOURS,
        help_text="At 0 it ends at once.",
    )


@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """The person's tokens, an admin's all; a created token is shown on this answer and never again."""
    make_form = partial(TokenForm, owner=acting(request).role)
    issue = partial(_create, request)
    return issuing_page(request, "controlplane/tokens.html", make_form, issue, tokens=_visible(request))


@never_cache
@require_http_methods(["GET", "POST"])
def token_rotate(request: HttpRequest, prefix: str) -> HttpResponse:
    """Put another in its place, which is shown on this answer and never again."""
    token = get_object_or_404(_visible(request), prefix=prefix)

    def rotate(data: Mapping[str, Any]) -> str:
        return rotate_token(token, overlap=timedelta(hours=data["hours"]), actor=acting(request))

    return issuing_page(request, "controlplane/rotate_token.html", RotationForm, rotate, token=token)


@require_POST
def token_revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """Make a token useless at once."""
    token = get_object_or_404(_visible(request), prefix=prefix)
    done(request, lambda: revoke_token(token, actor=acting(request)), f"The token {token.name} is revoked.")
    return redirect("token-list")


def _visible(request: HttpRequest) -> QuerySet[Token]:
    tokens = Token.objects.select_related("user")
    return tokens if acting(request).role is Role.ADMIN else tokens.filter(user__username=acting(request).name)


def _create(request: HttpRequest, data: Mapping[str, Any]) -> str:
    assert isinstance(request.user, User)  # noqa: S101 - pages ask for a login
    return create_token(
        request.user,
        data["name"],
        role=Role(data["role"]),
        scopes=[Right(scope) for scope in data["scopes"]],
        networks=data["networks"],
        endpoints=data["endpoints"],
        expires_at=end_of(data["days"]),
        actor=acting(request),
    )
