"""What a draft's plan promises; comes after the page, as it takes a few seconds."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from controlplane.problems.errors import SluiceError
from controlplane.web.pages import page
from controlplane.web.shares import percent
from experiments.forecast import Forecast, forecast
from experiments.forecast.sentence import about, spelled
from experiments.forecast.types import ExpectedOutcome
from experiments.models import Experiment
from experiments.presenters.page_reads import find_experiment
from experiments.views.broken_page import as_far_as_it_can_be_read


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One scenario as it is written."""

    scenario: str
    promote: str
    halt: str
    inconclusive: str
    takes: str
    users: str
    harmed: str


@require_safe
@as_far_as_it_can_be_read
def experiment_forecast(request: HttpRequest, key: str) -> HttpResponse:
    """A part of the draft's page, and a page of its own where there is no JavaScript."""
    experiment = find_experiment(key)
    is_part = request.headers.get("HX-Request") == "true"
    template = "experiments/forecast_parts.html" if is_part else "experiments/forecast_page.html"
    return page(request, template, {"experiment": experiment, **_context(experiment)})


def _context(experiment: Experiment) -> dict[str, object]:
    try:
        found = forecast(experiment)
    except SluiceError as error:
        return {"sentence": f"{error.detail} {error.next_step}"}
    return {
        "sentence": " ".join(_sentences(found)),
        "outcomes": [_line(outcome) for outcome in found.simulation.scenarios],
        "runs": found.simulation.runs,
        "missing": found.needs.obstacle or found.arrivals_obstacle,
        "address": f"/api/v1/experiments/{experiment.key}/forecast",
    }


def _sentences(found: Forecast) -> list[str]:
    """The summary, and why nothing was tried out unless it says so."""
    obstacle = found.simulation.obstacle
    unsaid = obstacle is not None and obstacle.detail not in found.summary
    return [found.summary, f"{obstacle.detail} {obstacle.next_step}"] if obstacle and unsaid else [found.summary]


def _line(outcome: ExpectedOutcome) -> OutcomeLine:
    return OutcomeLine(
        outcome.scenario,
        percent(round(outcome.promote, 2)),
        percent(round(outcome.halt, 2)),
        percent(round(outcome.inconclusive, 2)),
        spelled(outcome.mean_days),
        about(outcome.users_exposed),
        _harmed(outcome),
    )


def _harmed(outcome: ExpectedOutcome) -> str:
    """What passes until a halt: users or requests that fail, or else users exposed; a dash where nothing is halted."""
    if outcome.users_until_halt is None:
        return "–"
    if outcome.harmed_until_halt is None:
        return f"{about(outcome.users_until_halt)} users exposed"
    return f"{about(outcome.harmed_until_halt)} {outcome.harmed}"
