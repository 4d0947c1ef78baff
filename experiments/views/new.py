"""The page that writes a new experiment down."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from controlplane.models import Role
from controlplane.problems.errors import SluiceError
from controlplane.web.pages import acting, page, requires
from experiments.actions.create import create
from experiments.forms.sheet import ExperimentSheet
from experiments.models import Experiment
from routing.models import IN_USE, Backend, Endpoint

FEWEST_BACKENDS = 2


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def experiment_new(request: HttpRequest) -> HttpResponse:
    """Create a draft. The buttons that add or take away a row answer with the same sheet, one row longer or shorter."""
    sheet = ExperimentSheet(request.POST or None)
    if "add_row" in request.POST:
        sheet = sheet.with_row_added(request.POST["add_row"])
    elif "remove_row" in request.POST:
        sheet = sheet.with_row_removed(request.POST["remove_row"])
    elif request.method == "POST":
        experiment = _create(sheet, request)
        if experiment is not None:
            messages.success(request, "The draft is saved. Nothing changes for users until you start it.")
            return redirect("experiment-detail", key=experiment.key)
    context = {
        "sheet": sheet,
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
