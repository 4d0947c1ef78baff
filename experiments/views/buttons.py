"""Buttons on the page of an experiment: each does one verb and leads back to the page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.models import Right
from controlplane.web.pages import acting, done, page, requires
from experiments.actions.delete import delete
from experiments.actions.verbs import ExperimentVerb
from experiments.presenters.page_reads import find_experiment
from experiments.views.refuse_unseen import refuse_unseen
from routing.views.confirmation import tell_confirmation


def button(verb: ExperimentVerb) -> Callable[[HttpRequest, str], HttpResponse]:
    """The view behind one button. The form may carry a `reason`."""

    @require_POST
    @requires(verb.right)
    def press(request: HttpRequest, key: str) -> HttpResponse:
        experiment = find_experiment(key)
        reason = request.POST.get("reason", "").strip()

        def act() -> None:
            if not verb.is_brake:
                refuse_unseen(request, experiment)
            verb.act(experiment, acting(request), reason)

        if done(request, act, verb.said) and verb.is_confirmed:
            tell_confirmation(request)
        return redirect("experiment-detail", key=key)

    return press


@require_http_methods(["GET", "POST"])
@requires(Right.PLAN)
def experiment_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then throw a draft away."""
    experiment = find_experiment(key)
    if request.method == "POST":

        def remove() -> None:
            refuse_unseen(request, experiment)
            delete(experiment, actor=acting(request), version=experiment.version)

        if done(request, remove, f"The draft {key} is deleted."):
            return redirect("experiment-list")
        return redirect("experiment-detail", key=key)
    context = {
        "kind": "draft",
        "key": key,
        "version": request.GET.get("version", experiment.version),
        "back": reverse("experiment-detail", args=[key]),
        "consequence": "Its plan is lost. No user is affected: a draft gets no traffic.",
    }
    return page(request, "confirm_removal.html", context)
