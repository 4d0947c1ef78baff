"""Logging in."""

from typing import Any

import structlog
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django_htmx.http import HttpResponseClientRefresh

from controlplane.accounts.login_attempts import WINDOW_SECONDS, forget, may_try
from controlplane.storage.database import with_reserve

log = structlog.get_logger(__name__)

TOO_MANY = "There were too many attempts to log in to this account from your address. Wait 15 minutes. Tokens work."
NOT_NOW = "The database cannot be written now, so nobody can log in. Tokens work, and so does `manage.py kill-switch`."


class ClosedForm(AuthenticationForm):
    """Looks at no password."""

    def clean(self) -> dict[str, Any]:
        """Say why."""
        raise ValidationError(TOO_MANY)


@method_decorator(login_not_required, name="dispatch")
class Login(LoginView):
    """Asks for name and password; a refresh in the background of a page that was logged out reloads that page."""

    template_name = "controlplane/login.html"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer a background refresh with an order to reload, which leads here visibly."""
        if request.headers.get("HX-Request"):
            return HttpResponseClientRefresh()
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: str, **kwargs: Any) -> HttpResponse:
        """Look at the password, unless there were too many attempts; then nothing is said of it."""
        if may_try(_account(request), request):
            return super().post(request, *args, **kwargs)
        form = ClosedForm(request, request.POST)
        answer = self.render_to_response(self.get_context_data(form=form), status=429)
        answer["Retry-After"] = str(WINDOW_SECONDS)
        return answer

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in, also when the disk is full; who cannot is told what works."""
        try:
            answer = with_reserve(lambda: super(Login, self).form_valid(form))
        except DatabaseError:
            log.exception("nobody can log in")
            form.add_error(None, NOT_NOW)
            return self.render_to_response(self.get_context_data(form=form), status=503)
        forget(_account(self.request), self.request)
        return answer


def _account(request: HttpRequest) -> str:
    """Which account a request asks for: many spellings lead to one, and each would have attempts of its own."""
    field = AuthenticationForm(request).fields["username"]
    return str(field.to_python(request.POST.get("username", "")))
