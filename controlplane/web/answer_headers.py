"""Headers of every answer of the web app.

Nobody keeps what was for one person, browsers run and load nothing but what Sluice serves, and over TLS they stay
there.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

A_YEAR = "max-age=31536000"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class AnswerHeadersMiddleware:
    """Pages and API answers tell what only their reader may see, so that no cache keeps them, the browser's included.

    Which answers come over TLS the app does not see behind a proxy; `SLUICE_HTTPS` says it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if settings.SESSION_COOKIE_SECURE:
            response.headers.setdefault("Strict-Transport-Security", A_YEAR)
        return response
