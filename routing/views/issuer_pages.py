"""Pages of issuers, who sign the tokens that endpoints take."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from controlplane.models import Role
from controlplane.web.editing import unsaved
from controlplane.web.pages import accepted, acting, done, page, requires
from routing.models import Issuer
from routing.resources.broken_rows import what_is_broken
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.views.resource_forms import IssuerForm


@require_safe
def issuer_list(request: HttpRequest) -> HttpResponse:
    """All issuers and the endpoints that take their tokens."""
    issuers = [(issuer, what_is_broken(issuer, ())) for issuer in Issuer.objects.prefetch_related("endpoints")]
    return page(request, "routing/issuers.html", {"issuers": issuers})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def issuer_new(request: HttpRequest) -> HttpResponse:
    """Register an issuer."""
    form = IssuerForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: register(form.instance, actor=acting(request))):
        messages.success(request, f"Issuer {form.instance.key} is registered.")
        return redirect("issuer-list")
    return page(request, "routing/issuer_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def issuer_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change an issuer, for example when it has new keys."""
    issuer = get_object_or_404(Issuer, key=key)
    form = IssuerForm(request.POST or None, instance=issuer)
    left = unsaved(form, lambda changes, version: edit(issuer, changes, actor=acting(request), version=version))
    if left is None:
        messages.success(request, f"Issuer {key} is changed; edges apply it within a second.")
        return redirect("issuer-list")
    return page(request, "routing/issuer_form.html", {"form": left, "key": key})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def issuer_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then remove an issuer whose tokens no endpoint takes."""
    issuer = get_object_or_404(Issuer, key=key)
    if request.method == "POST":
        done(request, lambda: remove(issuer, actor=acting(request)), f"Issuer {key} is removed.")
        return redirect("issuer-list")
    context = {
        "kind": "issuer",
        "key": key,
        "back": reverse("issuer-list"),
        "consequence": "Its tokens let nobody in any more. One whose tokens an endpoint takes is kept.",
    }
    return page(request, "confirm_removal.html", context)
