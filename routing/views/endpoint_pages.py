"""Pages of endpoints."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from controlplane.models import Role
from controlplane.problems.errors import Unavailable
from controlplane.settings import get_environment
from controlplane.web.editing import unsaved
from controlplane.web.pages import accepted, acting, done, page, requires
from routing.kill_switch.stops import open_stops
from routing.lake.endpoint_traffic import LATELY, endpoint_traffic
from routing.models import Endpoint
from routing.resources.broken_rows import known_backends, what_is_broken
from routing.resources.defaults import default_of, standby_of
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.switch import switch
from routing.views.resource_forms import EndpointForm, SwitchForm
from routing.views.traffic_words import percent, traffic_tables


@require_safe
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """All endpoints, and the experiments that run on them."""
    endpoints = Endpoint.objects.select_related("backend", "standby", "layer", "issuer").prefetch_related("splits")
    stops, known = open_stops(), known_backends()
    rows = [
        (
            endpoint,
            default_of(endpoint),
            standby_of(endpoint),
            stops.by_endpoint.get(endpoint.pk),
            what_is_broken(endpoint, known),
        )
        for endpoint in endpoints
    ]
    context = {"rows": rows, "everywhere": stops.everywhere}
    return page(request, "routing/endpoints.html", context)


@require_safe
def endpoint_detail(request: HttpRequest, key: str) -> HttpResponse:
    """What came to an endpoint in the last hour, and what of it is measured."""
    endpoint = get_object_or_404(Endpoint, key=key)
    context: dict[str, Any] = {"endpoint": endpoint, "default": default_of(endpoint)}
    context["broken"] = what_is_broken(endpoint, known_backends())
    try:
        traffic = endpoint_traffic(get_environment().lake_url, key, timezone.now() - LATELY)
        context |= {
            "traffic": traffic,
            "tables": traffic_tables(traffic),
            "without": percent(traffic.share_without_unit),
        }
    except Unavailable as error:
        context["unavailable"] = error
    return page(request, "routing/endpoint.html", context)


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def endpoint_new(request: HttpRequest) -> HttpResponse:
    """Register an endpoint."""
    form = EndpointForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: register(form.instance, actor=acting(request))):
        messages.success(request, f"Endpoint {form.instance.key} is registered.")
        return redirect("endpoint-list")
    return page(request, "routing/endpoint_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def endpoint_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change an endpoint."""
    endpoint = get_object_or_404(Endpoint, key=key)
    form = EndpointForm(request.POST or None, instance=endpoint)
    left = unsaved(form, lambda changes, version: edit(endpoint, changes, actor=acting(request), version=version))
    if left is None:
        messages.success(request, f"Endpoint {key} is changed; edges apply it within a second.")
        return redirect("endpoint-list")
    return page(request, "routing/endpoint_form.html", {"form": left, "key": key})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def endpoint_switch(request: HttpRequest, key: str) -> HttpResponse:
    """Show what a switch to the standby changes, and make it when it is confirmed."""
    endpoint = get_object_or_404(Endpoint.objects.select_related("backend", "standby"), key=key)
    if endpoint.standby is None:
        messages.error(request, f"Endpoint {key} has no standby. Name one first.")
        return redirect("endpoint-edit", key=key)
    form = SwitchForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: switch(endpoint, actor=acting(request), **form.cleaned_data)):
        messages.success(request, f"Endpoint {key} is switched: all users get {form.cleaned_data['to']} in a second.")
        return redirect("endpoint-list")
    context = {
        "endpoint": endpoint,
        "answers": default_of(endpoint),
        "stands_by": standby_of(endpoint),
        "form": form,
        "experiments": endpoint.splits.all(),
    }
    return page(request, "routing/switch.html", context)


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def endpoint_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then remove an endpoint that nothing uses."""
    endpoint = get_object_or_404(Endpoint, key=key)
    if request.method == "POST":
        done(request, lambda: remove(endpoint, actor=acting(request)), f"Endpoint {key} is removed.")
        return redirect("endpoint-list")
    context = {
        "kind": "endpoint",
        "key": key,
        "back": reverse("endpoint-list"),
        "consequence": "Clients that call it get the answer 404 from then on. One that an experiment uses is kept.",
    }
    return page(request, "confirm_removal.html", context)
