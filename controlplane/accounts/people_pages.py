"""People: invite one by a link, change and deactivate one; for admins."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.endpoint_choices import endpoint_choices
from controlplane.accounts.people import change_person, invite, set_active, take_password
from controlplane.models import ACCOUNT_ROLES, Right, Role, User
from controlplane.web.issuing import issuing_page
from controlplane.web.pages import accepted, acting, done, page, requires


class PersonForm(forms.Form):
    """What a person may do, and where."""

    role = forms.ChoiceField(choices=[(role.value, role.label) for role in ACCOUNT_ROLES])
    endpoints = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=endpoint_choices,
        help_text="Where the person may change anything. None: everywhere. Everybody looks at everything.",
    )


class InvitationForm(PersonForm):
    """The same of somebody new."""

    username = forms.CharField(max_length=150, label="Name", validators=[UnicodeUsernameValidator()])
    field_order = ("username", "role", "endpoints")


class LinkForm(forms.Form):
    """A new password for somebody."""

    revoke = forms.BooleanField(
        required=False,
        initial=True,
        label="Revoke this person's API tokens too",
        help_text="Whoever knew the old password may have made one. Programs that use one stop working.",
    )


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.ADMIN)
def person_list(request: HttpRequest) -> HttpResponse:
    """Everybody; the link of somebody invited is shown on this answer and never again."""

    def issue(data: Mapping[str, Any]) -> str:
        role, actor = Role(data["role"]), acting(request)
        return link_of(request, invite(data["username"], role=role, endpoints=data["endpoints"], actor=actor))

    return issuing_page(request, "controlplane/people.html", InvitationForm, issue, people=User.objects.all())


@require_http_methods(["GET", "POST"])
@requires(Right.ADMIN)
def person_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Give a person another role, or other endpoints."""
    person = get_object_or_404(User, username=name)
    form = PersonForm(request.POST or None, initial={"role": person.role, "endpoints": person.endpoints})

    def save() -> None:
        role, endpoints = Role(form.cleaned_data["role"]), form.cleaned_data["endpoints"]
        change_person(person, role=role, endpoints=endpoints, actor=acting(request))

    if form.is_valid() and accepted(form, save):
        return redirect("person-list")
    return page(request, "controlplane/person_form.html", {"form": form, "person": person})


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.ADMIN)
def person_link(request: HttpRequest, name: str) -> HttpResponse:
    """Take a person's password away; the link by which to set another is shown on this answer and never again."""
    person = get_object_or_404(User, username=name)

    def issue(data: Mapping[str, Any]) -> str:
        take_password(person, revoke=data["revoke"], actor=acting(request))
        person.refresh_from_db()
        return link_of(request, person)

    return issuing_page(request, "controlplane/person_link.html", LinkForm, issue, person=person)


@require_POST
@requires(Right.ADMIN)
def person_active(request: HttpRequest, name: str) -> HttpResponse:
    """Let a person in again, or no more."""
    person = get_object_or_404(User, username=name)
    active = not person.is_active
    said = f"{name} may log in again." if active else f"{name} is deactivated; sessions and tokens open nothing."
    done(request, lambda: set_active(person, active=active, actor=acting(request)), said)
    return redirect("person-list")


def link_of(request: HttpRequest, person: User) -> str:
    """Where the person sets a password, once, within three days."""
    place = reverse("join", args=[person.pk, default_token_generator.make_token(person)])
    return request.build_absolute_uri(place)
