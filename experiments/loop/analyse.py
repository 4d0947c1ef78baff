"""Measure an experiment, judge it, and keep what was found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from importlib.metadata import version

import structlog
from django.db import transaction

from controlplane.problems.errors import Conflict, Unavailable
from controlplane.settings import get_environment
from experiments.course.keep_point import keep_point
from experiments.decide import Plan
from experiments.evidence import CollectedEvidence, MetricDefinition, collect_evidence
from experiments.lifecycle.lease import Lease
from experiments.loop.carry import carried_of
from experiments.loop.evidence_starts import later_starts
from experiments.loop.guard_findings import guard_findings
from experiments.loop.health_findings import health_findings
from experiments.models import Analysis, Experiment
from experiments.plan.as_judged import judge_plan, metric_definitions
from experiments.stats.adjust.of_arms import Adjustments, adjustments
from experiments.stats.core.types import Evidence, JudgePlan, PastLooks, Results
from experiments.stats.health import (
    Incomparable,
    LateOutcomes,
    by_severity,
    incomparable,
    late_outcomes,
    not_checked,
)
from experiments.stats.judging.judge import judge
from experiments.stats.judging.later import LaterEvidence, Since
from experiments.stored_results import write_evidence, write_results
from routing.kill_switch.stops import open_stops
from routing.publishing.newest_table import latest_table

log = structlog.get_logger(__name__)

NEWEST_KEPT = 30
"""Analyses that are kept whatever came of them; of older ones those alone that something was decided on."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was collected of an experiment by a moment, the plan to judge it by, and what of it cannot be compared.

    `starts` are those that the collected evidence starts anew from, and `adjustments` what the past takes off.
    """

    collected: CollectedEvidence
    plan: JudgePlan
    apart: Incomparable
    late: LateOutcomes
    starts: tuple[Since, ...]
    now: datetime
    adjustments: Adjustments = field(default_factory=Adjustments)

    @property
    def evidence(self) -> Evidence:
        """What can be compared."""
        return self.adjustments.applied(self._comparable(self.collected.evidence))

    @property
    def later(self) -> tuple[LaterEvidence, ...]:
        """What can be compared since each later start."""
        found = zip(self.starts, self.collected.since, strict=False)
        return tuple(LaterEvidence(start, self._comparable(evidence)) for start, evidence in found)

    @property
    def stage_units(self) -> Mapping[str, int]:
        """Units by variant with a request since the present stage began; none where that could not be read."""
        if not any(start.stage for start in self.starts):
            return self.collected.evidence.units
        return next((each.evidence.units for each in self.later if each.since.stage), {})

    def noted(self, results: Results) -> Results:
        """The results with what is said of all that cannot be compared."""
        return self.adjustments.noted(self.late.noted(self.apart.noted(results)))

    def _comparable(self, evidence: Evidence) -> Evidence:
        return self.late.without(self.apart.without(evidence))


def measure(experiment: Experiment, plan: Plan, *, now: datetime) -> Measured:
    """Collect the evidence. Raises as `collect_evidence` does."""
    starts = later_starts(experiment, now)
    moments = [start.moment for start in starts]
    collected = _collected(experiment, metric_definitions(experiment), moments, now)
    to_judge = judge_plan(experiment, plan, collected.evidence.units)
    try:
        apart = incomparable(collected.known, to_judge.control)
        late = late_outcomes(collected.timings, collected.requests, to_judge.control)
    except Exception:
        log.exception("what may not be compared is left out", experiment=experiment.key)
        apart, late = Incomparable({}, to_judge.control), _unchecked(collected, to_judge)
    return Measured(collected, to_judge, apart, late, starts, now, _adjustments(experiment, collected, to_judge))


def _adjustments(experiment: Experiment, collected: CollectedEvidence, plan: JudgePlan) -> Adjustments:
    """What the past takes off; nothing where that cannot be told, as harm is to be seen all the same."""
    try:
        return adjustments(collected.covariates, plan.control)
    except Exception:
        log.exception("nothing is adjusted by the past", experiment=experiment.key)
        reason = "What users did before could not be used."
        return Adjustments(refused=dict.fromkeys(collected.covariates, reason))


def _unchecked(collected: CollectedEvidence, plan: JudgePlan) -> LateOutcomes:
    """Nothing of the metrics whose values may be told in one arm alone; all others can still halt."""
    metrics = {*collected.known, *collected.timings}
    finding = not_checked("Whether both variants report the same", "It raised an error.", "See the log for it.")
    reason = "It could not be checked whether both variants report it alike."
    return LateOutcomes({(metric, variant): reason for metric in metrics for variant in plan.shares}, (finding,))


def _collected(
    experiment: Experiment, metrics: Sequence[MetricDefinition], starts: Sequence[datetime], now: datetime
) -> CollectedEvidence:
    """The evidence of all metrics, or of those alone that can be read: one that cannot hides no other."""
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    of_experiment = partial(collect_evidence, get_environment().lake_url, experiment.key, experiment.started_at)
    collect = partial(of_experiment, now=now, tick_seconds=experiment.plan.tick_seconds)
    try:
        return collect(metrics, starts=starts, carried=carried_of(experiment, now))
    except (Unavailable, MemoryError):
        raise
    except Exception:
        log.exception("metrics are collected one by one", experiment=experiment.key)
        return collect([metric for metric in metrics if _can_be_read(partial(collect, [metric]))])


def _can_be_read(collect: Callable[[], CollectedEvidence]) -> bool:
    try:
        collect()
    except (Unavailable, MemoryError):
        raise
    except Exception:
        log.exception("a metric cannot be read")
        return False
    return True


def analyse(experiment: Experiment, measured: Measured, looks: PastLooks) -> Results:
    """Judge what was measured, and check whether it can be believed."""
    judged = measured.noted(judge(measured.plan, measured.evidence, looks=looks, later=measured.later))
    findings = (
        *health_findings(experiment, measured.plan, measured.collected, measured.now),
        *guard_findings(experiment, measured.plan, measured.evidence, judged),
        *measured.apart.findings(),
        *measured.late.findings(),
    )
    return replace(judged, findings=by_severity(findings), stage_units=measured.stage_units)


def store(
    experiment: Experiment, measured: Measured, results: Results, *, look: bool, lease: Lease, now: datetime
) -> Analysis:
    """Keep what was found, with the versions it came from.

    Raises `Conflict` when meanwhile the lease was lost, somebody moved the experiment or turned the kill switch on;
    then nothing is stored, and no look is taken.
    """
    with transaction.atomic():
        lease.renew(state=experiment.state, stage_index=experiment.stage_index)
        _refuse_while_stopped(experiment)
        return _stored(experiment, measured, results, look=look, now=now)


def _refuse_while_stopped(experiment: Experiment) -> None:
    stop = open_stops().of(experiment.endpoint_id)
    if stop is not None:
        raise Conflict(
            "experiments-stopped",
            f"The kill switch was turned on for {stop.scope} while {experiment.key} was analysed.",
            next_step="Nothing is decided before it is off.",
        )


def _stored(experiment: Experiment, measured: Measured, results: Results, *, look: bool, now: datetime) -> Analysis:
    table, collected = latest_table(), measured.collected
    analysis = Analysis.objects.create(
        experiment=experiment,
        at=now,
        look=look,
        stage_index=experiment.stage_index,
        results=write_results(results),
        evidence=write_evidence(collected, measured.adjustments.found),
        lake_version={"requests": collected.lake.requests, "outcomes": collected.lake.outcomes},
        table_version=table.version if table else 0,
        code_version=version("sluice"),
    )
    keep_point(experiment, collected, results, now)
    _thin_out(experiment)
    return analysis


def _thin_out(experiment: Experiment) -> None:
    """Keep the newest, and what is behind a decision; their course over time is kept apart from them."""
    undecided = experiment.analyses.filter(decisions__isnull=True).order_by("-pk")
    Analysis.objects.filter(pk__in=list(undecided.values_list("pk", flat=True)[NEWEST_KEPT:])).delete()
