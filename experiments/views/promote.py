"""The guarded promotion: first what it changes and for how many users, then the button."""

from collections import Counter
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from controlplane.models import Role
from controlplane.views.pages import accepted, acting, page, requires
from experiments.actions.promote import promote_by_hand
from experiments.forms import PromotionForm
from experiments.models import Experiment, Variant
from experiments.models.experiment import State
from experiments.views.reads import find_experiment
from experiments.views.wording import percent
from routing.queries import desired_table
from routing.table import BUCKETS, FULL_COVERAGE, Endpoint, segments

PROMOTABLE = (State.RUNNING, State.PAUSED, State.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class BackendShare:
    """A backend's share of an endpoint's users, now and after the promotion."""

    backend: str
    now: str
    after: str


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def experiment_promote(request: HttpRequest, key: str) -> HttpResponse:
    """Show the change, and make it when it is confirmed with a reason."""
    experiment = find_experiment(key)
    candidates = [variant for variant in experiment.variants.all() if not variant.is_control]
    asked = request.POST.get("variant") or request.GET.get("variant")
    chosen = next((variant for variant in candidates if variant.key == asked), candidates[0])
    form = PromotionForm(request.POST or None)
    if experiment.state not in PROMOTABLE:
        messages.error(request, f"An experiment whose state is {experiment.state} cannot be promoted.")
        return redirect("experiment-detail", key=key)
    if form.is_valid() and accepted(form, lambda: _promote(experiment, chosen, form, request)):
        messages.success(request, f"Promoted. All users get {chosen.backend.key} within a second.")
        return redirect("experiment-detail", key=key)
    context = {
        "experiment": experiment,
        "form": form,
        "chosen": chosen,
        "candidates": candidates,
        "shares": _shares(experiment, chosen),
        "others": experiment.endpoint.splits.exclude(experiment=experiment.key).values_list("experiment", flat=True),
        "users": _all_users(experiment),
    }
    return page(request, "experiments/promote.html", context)


def _promote(experiment: Experiment, variant: Variant, form: PromotionForm, request: HttpRequest) -> None:
    reason = form.cleaned_data["reason"]
    promote_by_hand(experiment, actor=acting(request), reason=reason, variant=variant.key)


def _shares(experiment: Experiment, variant: Variant) -> list[BackendShare]:
    """How the endpoint's users are divided among backends, before and after."""
    table = desired_table(version=0)
    endpoint = next(found for found in table.endpoints if found.key == experiment.endpoint.key)
    others = tuple(running for running in endpoint.experiments if running.key != experiment.key)
    now, after = _weights(endpoint), _weights(replace(endpoint, backend=variant.backend.key, experiments=others))
    return [
        BackendShare(backend, percent(now[backend] / BUCKETS), percent(after[backend] / BUCKETS))
        for backend in sorted(now | after)
    ]


def _weights(endpoint: Endpoint) -> Counter[str]:
    weights: Counter[str] = Counter()
    for segment in segments(endpoint):
        weights[segment.backend] += segment.weight
    return weights


def _all_users(experiment: Experiment) -> int | None:
    """Users of the endpoint, extrapolated from those who were measured; None when nobody was."""
    analysis = experiment.analyses.first()
    measured = sum(analysis.evidence.get("units", {}).values()) if analysis else 0
    stage = experiment.plan.stages.all()[experiment.stage_index]
    covered = stage.coverage / FULL_COVERAGE * experiment.traffic / BUCKETS
    return round(measured / covered) if measured else None
