"""The page of an experiment's sheet: that writes a new one down, and that changes a draft."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from controlplane.models import Right
from controlplane.problems.errors import Outdated, SluiceError
from controlplane.web.pages import acting, page, requires
from experiments.actions.create import create
from experiments.actions.edit_draft import changed_spec, edit_draft
from experiments.forms.sheet import ExperimentSheet
from experiments.models import Experiment
from experiments.presenters.page_reads import find_experiment
from routing.models import IN_USE, Backend, Endpoint

FEWEST_BACKENDS = 2


@require_http_methods(["GET", "POST"])
@requires(Right.PLAN)
def experiment_new(request: HttpRequest) -> HttpResponse:
    """Create a draft."""
    sheet, is_sent = _sent(request, ExperimentSheet(request.POST or None))
    if is_sent:
        experiment = _create(sheet, request)
        if experiment is not None:
            messages.success(request, "The draft is saved. Nothing changes for users until you start it.")
            return redirect("experiment-detail", key=experiment.key)
    return _page(request, sheet, reverse("experiment-list"))


@require_http_methods(["GET", "POST"])
@requires(Right.PLAN)
def experiment_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a draft; one that has started, or that makes no sense, is only looked at."""
    experiment = find_experiment(key)
    try:
        changed_spec(experiment, {})
        opened = ExperimentSheet(request.POST, key=key) if request.POST else ExperimentSheet.of(experiment)
        sheet, is_sent = _sent(request, opened)
        left = _unsaved(sheet, experiment, request) if is_sent else sheet
    except SluiceError as error:
        messages.error(request, f"{error.detail} {error.next_step}")
        return redirect("experiment-detail", key=key)
    if left is None:
        return redirect("experiment-detail", key=key)
    return _page(request, left, reverse("experiment-detail", args=[key]))


def _sent(request: HttpRequest, sheet: ExperimentSheet) -> tuple[ExperimentSheet, bool]:
    """The sheet, and whether it is to be saved: the buttons of rows ask for the same one, a row longer or shorter."""
    if "add_row" in request.POST:
        return sheet.with_row_added(request.POST["add_row"]), False
    if "remove_row" in request.POST:
        return sheet.with_row_removed(request.POST["remove_row"]), False
    return sheet, request.method == "POST"


def _page(request: HttpRequest, sheet: ExperimentSheet, back: str) -> HttpResponse:
    context = {
        "sheet": sheet,
        "back": back,
        "lacks_endpoint": not Endpoint.objects.exists(),
        "lacks_backends": Backend.objects.filter(IN_USE).count() < FEWEST_BACKENDS,
    }
    return page(request, "experiments/new.html", context)


def _create(sheet: ExperimentSheet, request: HttpRequest) -> Experiment | None:
    spec = sheet.read()
    if spec is None:
        return None
    try:
        return create(spec, actor=acting(request))
    except SluiceError as error:
        sheet.show(error)
        return None


def _unsaved(sheet: ExperimentSheet, experiment: Experiment, request: HttpRequest) -> ExperimentSheet | None:
    """Save what the person changed of the version that they saw; None when that is done, else the sheet again."""
    spec = sheet.read()
    if spec is None:
        return sheet
    try:
        changed = edit_draft(experiment, sheet.changes(spec), actor=acting(request), version=sheet.version)
    except Outdated:
        return sheet.rebased(find_experiment(experiment.key), spec)
    except SluiceError as error:
        sheet.show(error)
        return sheet
    is_as_it_was = "Nothing is changed: the draft is as it was."
    is_other = "The draft is changed. Nothing changes for users until you start it."
    messages.success(request, is_other if changed else is_as_it_was)
    return None
