"""Pages of metrics."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from controlplane.models import Role
from controlplane.web.editing import unsaved
from controlplane.web.pages import accepted, acting, done, page, requires
from experiments.forms.experiment_forms import MetricForm
from experiments.metrics.define_metric import define_metric
from experiments.metrics.edit_metric import edit_metric
from experiments.metrics.remove_metric import remove_metric
from experiments.models import Metric


@require_safe
def metric_list(request: HttpRequest) -> HttpResponse:
    """All metrics."""
    return page(request, "experiments/metrics.html", {"metrics": Metric.objects.all()})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def metric_new(request: HttpRequest) -> HttpResponse:
    """Define a metric."""
    form = MetricForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: define_metric(form.instance, actor=acting(request))):
        messages.success(request, f"Metric {form.instance.key} is defined.")
        return redirect("metric-list")
    return page(request, "experiments/metric_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def metric_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a metric."""
    metric = get_object_or_404(Metric, key=key)
    form = MetricForm(request.POST or None, instance=metric)
    left = unsaved(form, lambda changes, version: edit_metric(metric, changes, actor=acting(request), version=version))
    if left is None:
        messages.success(request, f"Metric {key} is changed.")
        return redirect("metric-list")
    return page(request, "experiments/metric_form.html", {"form": left, "key": key})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def metric_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then remove a metric that no plan uses."""
    metric = get_object_or_404(Metric, key=key)
    if request.method == "POST":
        done(request, lambda: remove_metric(metric, actor=acting(request)), f"Metric {key} is removed.")
        return redirect("metric-list")
    context = {
        "kind": "metric",
        "key": key,
        "back": reverse("metric-list"),
        "consequence": "New plans cannot use it any more. One that a plan uses is kept.",
    }
    return page(request, "confirm_removal.html", context)
