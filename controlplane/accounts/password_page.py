"""A person's own password, and what becomes of the tokens."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from controlplane.accounts.change_password import change_password
from controlplane.accounts.login import TOO_MANY
from controlplane.accounts.login_attempts import WINDOW_SECONDS, forget, may_try
from controlplane.models import User
from controlplane.web.pages import accepted, acting, page


class PasswordForm(PasswordChangeForm):
    """The old one, the new one twice, and whether tokens end with it."""

    revoke = forms.BooleanField(
        required=False,
        initial=True,
        label="Revoke my API tokens too",
        help_text="Whoever knew the old password may have made one. Programs that use one stop working.",
    )


class ClosedForm(PasswordForm):
    """Looks at no password, old or new."""

    def clean_old_password(self) -> str:
        """Take it as it is."""
        return str(self.cleaned_data["old_password"])

    def clean(self) -> dict[str, Any]:
        """Say why."""
        raise ValidationError(TOO_MANY)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password_change(request: HttpRequest) -> HttpResponse:
    """Change it; this session goes on, and all others of the person end."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - pages ask for a login
    if request.method == "POST" and not may_try(user.get_username(), request):
        answer = _show(request, ClosedForm(user, request.POST), status=429)
        answer["Retry-After"] = str(WINDOW_SECONDS)
        return answer
    form = PasswordForm(user, request.POST or None)
    if form.is_valid() and accepted(form, lambda: _change(request, user, form)):
        return redirect("token-list")
    return _show(request, form)


def _show(request: HttpRequest, form: PasswordForm, *, status: int = 200) -> HttpResponse:
    return page(request, "controlplane/password.html", {"form": form}, status=status)


def _change(request: HttpRequest, user: User, form: PasswordForm) -> None:
    data = form.cleaned_data
    revoked = change_password(user, data["new_password1"], revoke=data["revoke"], actor=acting(request))
    update_session_auth_hash(request, user)
    forget(user.get_username(), request)
    told = f"{revoked} of your tokens were revoked." if data["revoke"] else "Your tokens go on."
    messages.success(request, f"Your password is changed, and your other sessions ended. {told}")
