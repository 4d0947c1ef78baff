"""Pages of one endpoint: what came to it, and its switch to the standby."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from controlplane.models import Right
from controlplane.problems.errors import Unavailable
from controlplane.settings import get_environment
from controlplane.web.pages import accepted, acting, page, requires
from controlplane.web.shares import percent
from routing.lake.endpoint_traffic import LATELY, endpoint_traffic
from routing.models import Endpoint
from routing.resources.broken_rows import known_backends, what_is_broken
from routing.resources.defaults import default_of, standby_of
from routing.resources.switch import switch
from routing.views.traffic_words import traffic_tables


class SwitchForm(forms.Form):
    """A switch to the standby, in the version of the endpoint that the page showed."""

    to = forms.CharField(widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays in the audit trail, together with your name.",
    )
    forced = forms.BooleanField(required=False, label="Switch although experiments run")


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
@requires(Right.PROMOTE)
def endpoint_switch(request: HttpRequest, key: str) -> HttpResponse:
    """Show what a switch to the standby changes, and make it when it is confirmed."""
    endpoint = get_object_or_404(Endpoint.objects.select_related("backend", "standby"), key=key)
    if endpoint.standby is None:
        messages.error(request, f"Endpoint {key} has no standby. Name one first.")
        return redirect("endpoint-edit", key=key)
    form = SwitchForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: switch(endpoint, actor=acting(request), **form.cleaned_data)):
        messages.success(request, f"Endpoint {key} is switched: all get {form.cleaned_data['to']} within a second.")
        return redirect("endpoint-list")
    context = {
        "endpoint": endpoint,
        "answers": default_of(endpoint),
        "stands_by": standby_of(endpoint),
        "form": form,
        "experiments": endpoint.splits.all(),
    }
    return page(request, "routing/switch.html", context)
