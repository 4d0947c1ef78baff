"""Buttons on the page of an experiment: each calls one action and leads back to the page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.audit.actors import Actor
from controlplane.models import Role
from controlplane.web.pages import acting, done, page, requires
from experiments.actions.delete import delete
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.resume import resume
from experiments.actions.start import start
from experiments.models import Experiment
from experiments.presenters.page_reads import find_experiment
from routing.publishing.require_told import require_told

Act = Callable[[Experiment, Actor, str], None]


def _button(act: Act, success: str) -> Callable[[HttpRequest, str], HttpResponse]:
    """The view behind one button. The form may carry a `reason`."""

    @require_POST
    @requires(Role.OPERATOR)
    def press(request: HttpRequest, key: str) -> HttpResponse:
        experiment = find_experiment(key)
        reason = request.POST.get("reason", "").strip()
        done(request, lambda: act(experiment, acting(request), reason), success)
        return redirect("experiment-detail", key=key)

    return press


def _halt(experiment: Experiment, actor: Actor, reason: str) -> None:
    halt_by_hand(experiment, actor=actor, reason=reason)
    require_told()


experiment_start = _button(
    lambda experiment, actor, reason: start(experiment, actor=actor, reason=reason),
    "Started. The plan is frozen, and edges apply the first stage within a second.",
)
experiment_pause = _button(
    lambda experiment, actor, reason: pause(experiment, actor=actor, reason=reason),
    "Paused. Traffic stays as it is, and guardrails are still watched.",
)
experiment_resume = _button(
    lambda experiment, actor, reason: resume(experiment, actor=actor, reason=reason), "Resumed."
)
experiment_halt = _button(
    _halt,
    "Halted. Users get again what they have by default, within a second.",
)


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def experiment_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then throw a draft away."""
    experiment = find_experiment(key)
    if request.method == "POST":
        if done(request, lambda: delete(experiment, actor=acting(request)), f"The draft {key} is deleted."):
            return redirect("experiment-list")
        return redirect("experiment-detail", key=key)
    context = {
        "kind": "draft",
        "key": key,
        "back": reverse("experiment-detail", args=[key]),
        "consequence": "Its plan is lost. No user is affected: a draft gets no traffic.",
    }
    return page(request, "confirm_removal.html", context)
