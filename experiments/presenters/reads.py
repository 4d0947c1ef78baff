"""Reads of experiments that pages and the API share."""

from django.db.models import Prefetch, QuerySet

from experiments.lifecycle.promoted import prospect, those_of
from experiments.models import Experiment, PlanMetric, State
from experiments.presenters.full_stops import ended


def experiments() -> QuerySet[Experiment]:
    """All experiments, newest first, with all that describes them, in a fixed number of queries."""
    plan_metrics = Prefetch("plan__metrics", PlanMetric.objects.select_related("metric", "edition"))
    return Experiment.objects.select_related("endpoint", "plan", "promoted_variant").prefetch_related(
        "variants__backend", "plan__stages", plan_metrics
    )


def verdict(experiment: Experiment) -> str:
    """What is known and what comes next, in one sentence or two."""
    reason = ended(experiment.state_reason)
    openings = {
        State.DRAFT: f"Not started yet. Start it when its plan is right. Its winner is {prospect(experiment)}.",
        State.RUNNING: f"Running: {reason or 'it is on its first stage.'}",
        State.PAUSED: f"Paused. {reason} Resume it, or halt it.",
        State.PROMOTED: f"Promoted {experiment.promoted_variant and experiment.promoted_variant.key}"
        f"{_for_whom(experiment)}: {reason}",
        State.HALTED: f"Halted: {reason} All users go back to what they have by default.",
        State.INCONCLUSIVE: f"Inconclusive: {reason} A person may promote it, or plan a longer one.",
    }
    return openings[State(experiment.state)].replace("  ", " ").strip()


def _for_whom(experiment: Experiment) -> str:
    """Nothing where all users have what was promoted."""
    endpoint, audience = experiment.endpoint, experiment.promoted_audience
    return f" for {those_of(endpoint, audience)}" if audience or endpoint.rules else ""
