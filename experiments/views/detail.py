"""The page of one experiment, and its refresh in the background."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from controlplane.web.pages import page
from experiments.models import Experiment, State
from experiments.models.experiment import ENDED_STATES
from experiments.presenters.drawings import WIDTHS, Place
from experiments.presenters.live import CHARTS, PARTS, Visit, changed_parts, drawing, parts_context, seen_now
from experiments.presenters.page_reads import read_dossier
from experiments.presenters.plan_words import metric_in_words, plan_facts
from experiments.views.broken_page import as_far_as_it_can_be_read


@require_safe
@as_far_as_it_can_be_read
def experiment_detail(request: HttpRequest, key: str) -> HttpResponse:
    """The verdict first, then everything behind it."""
    visit = _visit(request, key)
    context = {
        **parts_context(visit, PARTS),
        **_refresh(visit),
        "plan_metrics": [(metric, metric_in_words(visit.dossier, metric)) for metric in visit.dossier.metrics],
        "plan_facts": plan_facts(visit.dossier),
    }
    return page(request, "experiments/detail.html", context)


@require_safe
@as_far_as_it_can_be_read
def experiment_live(request: HttpRequest, key: str) -> HttpResponse:
    """The parts that changed since the browser got them; 204 when none did.

    A draft that was changed or started is another page.
    """
    visit = _visit(request, key)
    if request.GET.get("draft", "") != _draft(visit.dossier.experiment):
        return HttpResponseClientRefresh()
    changed = changed_parts(visit, request.GET.get("seen", ""))
    if not changed:
        return HttpResponse(status=204)
    context = {**parts_context(visit, changed), **_refresh(visit), "changed": [part.name for part in changed]}
    return page(request, "experiments/live.html", context)


@require_safe
@as_far_as_it_can_be_read
def experiment_drawing(request: HttpRequest, key: str) -> HttpResponse:
    """One drawing at one width, for a browser that was given it at another; 204 when there is none."""
    visit, name = _visit(request, key), request.GET.get("name", "")
    if name not in CHARTS or len(visit.widths) != 1:
        raise Http404
    (width,) = visit.widths
    svg = drawing(visit, name).at(width)
    if svg is None:
        return HttpResponse(status=204)
    return page(request, "experiments/drawing.html", {"place": Place(width, svg, asked=True)})


def _visit(request: HttpRequest, key: str) -> Visit:
    widths = [width for width in WIDTHS if width in request.GET.getlist("width")]
    return Visit(read_dossier(key), timezone.now(), request.GET.get("effect", ""), widths)


def _draft(experiment: Experiment) -> str:
    """Which version of a draft a page shows; empty once it has started."""
    return str(experiment.version) if experiment.state == State.DRAFT else ""


def _refresh(visit: Visit) -> dict[str, object]:
    """What the next refresh asks for; there is none once the experiment has ended and edges have confirmed that."""
    return {
        "seen": seen_now(visit),
        "chosen": visit.chosen,
        "draft": _draft(visit.dossier.experiment),
        "refreshing": visit.dossier.experiment.state not in ENDED_STATES or bool(visit.unconfirmed),
    }
