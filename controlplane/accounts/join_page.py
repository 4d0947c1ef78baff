"""Where a person who was invited sets a password, by a link that works once."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from controlplane.accounts.change_password import change_password
from controlplane.audit.actors import actor_of
from controlplane.models import User
from controlplane.web.pages import accepted


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Set it, and lead to the login."""
    person = User.objects.filter(pk=pk, is_active=True).first()
    if person is None or not default_token_generator.check_token(person, token):
        return render(request, "controlplane/join.html", status=404)
    form = SetPasswordForm(person, request.POST or None)

    def save() -> None:
        change_password(person, form.cleaned_data["new_password1"], revoke=False, actor=actor_of(person))

    if form.is_valid() and accepted(form, save):
        return redirect("login")
    return render(request, "controlplane/join.html", {"form": form, "person": person})
