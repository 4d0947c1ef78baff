"""Everything that the pages of experiments show, read with a fixed number of queries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from controlplane.models import AuditEvent
from controlplane.problems.errors import Unavailable
from experiments.actions.verbs import VERBS
from experiments.decide.types import Plan as PurePlan
from experiments.lifecycle.clock import still_spans
from experiments.models import Analysis, Decision, Experiment, PlanMetric, Stage, Variant
from experiments.models.experiment import LIVE_STATES
from experiments.plan.as_judged import pure_plan
from experiments.presenters.reads import experiments
from experiments.stats.core.types import Results
from experiments.stored_results import Counts, read_counts, read_results
from routing.kill_switch.stops import stops_since
from routing.models import Span, Stop

WITHOUT_DECISION = {
    "create": "Created",
    "edit": "Edited",
    "give-back": "Reinstated",
    "reinstate": "Reinstated",
    **{verb.name: verb.past for verb in VERBS if verb.past},
}
"""What is done to an experiment and no decision tells of: the verb of the audit trail, and its word in the log."""

AROUND = {"edit": "Changed", "switch": "Switched"}
"""What is done to its endpoint and to its backends while it runs: all variants alike, or what one of them answers."""

DECISIONS_SHOWN = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dossier:
    """One experiment with all that its page is made of; `analysis` and `results` are the latest."""

    experiment: Experiment
    plan: PurePlan
    variants: tuple[Variant, ...]
    stages: tuple[Stage, ...]
    metrics: tuple[PlanMetric, ...]
    decisions: tuple[Decision, ...]
    events: tuple[AuditEvent, ...]
    """What was done to it, and to its endpoint and backends while it ran."""
    analysis: Analysis | None
    results: Results | None
    stop: Stop | None
    still: tuple[Span, ...]
    """When the clock stood still on the present stage; `stop` says whether and why the kill switch is on now."""

    @property
    def counts(self) -> Counts:
        """What the latest analysis saw."""
        return read_counts(self.analysis.evidence) if self.analysis else Counts()

    @property
    def candidates(self) -> tuple[Variant, ...]:
        """All variants but the control."""
        return tuple(variant for variant in self.variants if not variant.is_control)

    @property
    def stage(self) -> Stage:
        """The stage that the experiment is on, or was on when it ended."""
        return self.stages[self.experiment.stage_index]


def find_experiment(key: str) -> Experiment:
    """An experiment with its plan, endpoint and variants. Raises `Http404`."""
    found = _experiments().filter(key=key).first()
    if found is None:
        raise Http404
    return found


def listed_experiments() -> QuerySet[Experiment]:
    """All experiments, each with the reason of its last decision as `last_reason`."""
    last = Decision.objects.filter(experiment=OuterRef("pk")).order_by("-sequence")
    return experiments().annotate(last_reason=Subquery(last.values("reason")[:1]))


def read_dossier(key: str) -> Dossier:
    """Read one experiment. Raises `Http404`."""
    experiment = find_experiment(key)
    analysis = experiment.analyses.first()
    stops = stops_since(experiment.endpoint_id, experiment.stage_entered_at or experiment.created_at)
    variants = tuple(experiment.variants.all())
    return Dossier(
        experiment=experiment,
        plan=pure_plan(experiment),
        variants=variants,
        stages=tuple(experiment.plan.stages.all()),
        metrics=tuple(experiment.plan.metrics.all()),
        decisions=tuple(experiment.decisions.defer("evidence")[:DECISIONS_SHOWN]),
        events=tuple(AuditEvent.objects.filter(_done_to(experiment) | _done_around(experiment, variants))),
        analysis=analysis,
        results=_readable(analysis.results) if analysis else None,
        stop=next((stop for stop in stops if stop.ended_at is None), None) if experiment.state in LIVE_STATES else None,
        still=tuple(still_spans(experiment, stops, experiment.stage_entered_at)),
    )


def _done_to(experiment: Experiment) -> Q:
    of_it = Q(object_type="experiment", object_key=experiment.key, at__gte=experiment.created_at)
    return of_it & Q(verb__in=WITHOUT_DECISION)


def _done_around(experiment: Experiment, variants: Iterable[Variant]) -> Q:
    """What was done to its endpoint and its backends from its start to its end."""
    backends = [variant.backend.key for variant in variants]
    things = Q(object_type="endpoint", object_key=experiment.endpoint.key)
    things |= Q(object_type="backend", object_key__in=backends)
    # Nothing is later than what has no beginning.
    began = Q(at__gte=experiment.started_at) if experiment.started_at else Q(pk=None)
    until = Q(at__lte=experiment.ended_at) if experiment.ended_at else Q()
    return things & Q(verb__in=AROUND) & began & until


def _experiments() -> QuerySet[Experiment]:
    return experiments().select_related("endpoint__backend", "promoted_variant__backend")


def _readable(stored: Mapping[str, Any]) -> Results | None:
    """Results, or none where this release cannot read them: the rest of a page is needed all the same."""
    try:
        return read_results(stored)
    except Unavailable as error:
        log.warning("stored results left out", reason=error.detail)
        return None
