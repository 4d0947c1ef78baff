"""The reference of the API, to read and to try, for whoever is logged in; nothing of it comes from elsewhere."""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from controlplane.web.answer_headers import CONTENT_SECURITY_POLICY


@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    """To read. It writes its styles as it draws, by a word that is new each time, and searches in a worker."""
    nonce = secrets.token_urlsafe()
    policy = CONTENT_SECURITY_POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
    return _reference(request, "controlplane/redoc.html", f"{policy}; worker-src blob:", {"nonce": nonce})


@require_safe
def swagger(request: HttpRequest) -> HttpResponse:
    """To try calls: as the person who is logged in, or with a token."""
    return _reference(request, "controlplane/swagger.html", CONTENT_SECURITY_POLICY, {})


def _reference(request: HttpRequest, template: str, policy: str, context: dict[str, str]) -> HttpResponse:
    """Both hold small pictures within their scripts and styles."""
    response = render(request, template, context)
    response.headers["Content-Security-Policy"] = policy.replace("img-src 'self'", "img-src 'self' data:")
    return response
