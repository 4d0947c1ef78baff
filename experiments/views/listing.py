"""The home page: all experiments."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.paginator import Paginator
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from controlplane.web.pages import page
from controlplane.web.shares import percent
from experiments.models import Experiment, State
from experiments.models.experiment import ENDED_STATES, LIVE_STATES
from experiments.presenters.broken_rows import UNREADABLE, what_is_broken
from experiments.presenters.page_reads import listed_experiments
from experiments.presenters.verdict import TONES
from routing.kill_switch.stops import OpenStops, open_stops
from routing.table import BasisPoints

EXPERIMENTS_A_PAGE = 50
GROUPS: dict[str, tuple[State, ...]] = {
    "live": LIVE_STATES,
    "drafts": (State.DRAFT,),
    "ended": ENDED_STATES,
}


@dataclass(frozen=True, slots=True)
class ExperimentLine:
    """One experiment in the list."""

    experiment: Experiment
    tone: str
    stage: str
    sentence: str
    broken: str = ""


@require_safe
def experiment_list(request: HttpRequest) -> HttpResponse:
    """Experiments, newest first; a background refresh gets the list alone, or 204 when nothing changed.

    An empty home is another page than a list, so the first experiment loads it anew.
    """
    group = request.GET.get("show", "")
    experiments = listed_experiments()
    if group in GROUPS:
        experiments = experiments.filter(state__in=GROUPS[group])
    shown = Paginator(experiments, EXPERIMENTS_A_PAGE).get_page(request.GET.get("page"))
    stops = open_stops()
    lines = [_legible_line(experiment, stops) for experiment in shown.object_list]
    context = {
        "lines": lines,
        "page": shown,
        "group": group if group in GROUPS else "",
        "groups": [("", "All"), ("live", "Live"), ("drafts", "Drafts"), ("ended", "Ended")],
        "query": f"show={group}&" if group in GROUPS else "",
        "seen": _version(lines),
    }
    if "HX-Request" not in request.headers:
        return page(request, "experiments/list.html", context)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    if request.GET.get("seen") == _version([]):
        return HttpResponseClientRefresh()
    return page(request, "experiments/list_table.html", context)


def _legible_line(experiment: Experiment, stops: OpenStops) -> ExperimentLine:
    """The line of one whose rows may be broken in any way."""
    broken = what_is_broken(experiment)
    try:
        return replace(_line(experiment, stops), broken=broken)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return ExperimentLine(experiment, "bad", "", "", broken or UNREADABLE)


def _line(experiment: Experiment, stops: OpenStops) -> ExperimentLine:
    stages = list(experiment.plan.stages.all())
    coverage = percent(BasisPoints(stages[experiment.stage_index].coverage).share)
    started = experiment.state != State.DRAFT
    last_reason: str | None = getattr(experiment, "last_reason", None)
    return ExperimentLine(
        experiment=experiment,
        tone=TONES[State(experiment.state)],
        stage=f"{experiment.stage_index + 1} of {len(stages)} · {coverage}" if started else "",
        sentence=_sentence(experiment, last_reason or "", stops),
    )


def _sentence(experiment: Experiment, last_reason: str, stops: OpenStops) -> str:
    stop = stops.of(experiment.endpoint_id)
    if stop and experiment.state in LIVE_STATES:
        return f"Stopped by the kill switch, by {stop.by}: {stop.reason}"
    if experiment.state == State.DRAFT:
        return "Not started."
    if experiment.state == State.RUNNING:
        return last_reason or "Just started; nothing is measured yet."
    return experiment.state_reason or last_reason


def _version(lines: Sequence[ExperimentLine]) -> str:
    return f"{zlib.crc32(repr([_facts(line) for line in lines]).encode()):x}"


def _facts(line: ExperimentLine) -> tuple[object, ...]:
    return line.experiment.pk, line.experiment.state, line.stage, line.sentence, line.broken
