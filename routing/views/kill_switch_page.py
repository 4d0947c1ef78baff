"""The kill switch on its pages: one for all endpoints, one for each."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from controlplane.models import Right
from controlplane.web.pages import accepted, acting, page, requires
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.kill_switch.stops import open_stops
from routing.models import Endpoint, Split
from routing.publishing.require_told import require_told
from routing.views.confirmation import tell_confirmation


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays in the audit trail, together with your name.",
    )


@require_http_methods(["GET", "POST"])
@requires(Right.HALT)
def kill_switch(request: HttpRequest, key: str = "") -> HttpResponse:
    """Show whom it concerns, and turn it when a reason is given."""
    endpoint = get_object_or_404(Endpoint.objects.select_related("backend"), key=key) if key else None
    form = ReasonForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: _turn(request, endpoint, form.cleaned_data["reason"])):
        return redirect("endpoint-list")
    stops = open_stops()
    experiments = Split.objects.filter(endpoint=endpoint) if endpoint else Split.objects.all()
    context = {
        "form": form,
        "endpoint": endpoint,
        "stop": stops.by_endpoint.get(endpoint.pk) if endpoint else stops.everywhere,
        "everywhere": stops.everywhere,
        "experiments": experiments.select_related("endpoint"),
    }
    return page(request, "routing/kill_switch.html", context)


def _turn(request: HttpRequest, endpoint: Endpoint | None, reason: str) -> None:
    """To where the button that was pressed says, not to the other side: two people may press at once."""
    where = endpoint.key if endpoint else "all endpoints"
    if request.POST.get("turn") == "off":
        resume_experiments(endpoint, actor=acting(request), reason=reason, seen=request.POST.get("since", ""))
        messages.success(request, f"Experiments on {where} run again: everybody is in the same variant as before.")
    else:
        stop_experiments(endpoint, actor=acting(request), reason=reason)
        require_told()
        messages.success(request, f"Experiments on {where} are stopped; users get default backends within a second.")
    tell_confirmation(request)
