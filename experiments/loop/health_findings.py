"""Whether what was collected of an experiment can be believed: from records and rows to the checks of health."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from controlplane.settings import get_environment
from experiments.evidence import CollectedEvidence
from experiments.evidence.edge_units import units_by_edge
from experiments.models import Experiment
from experiments.stats.core.types import Finding, JudgePlan, UnitSums
from experiments.stats.health import (
    HealthEvidence,
    LostRecords,
    Overlap,
    Stage,
    TrafficSoFar,
    check_health,
    checked,
    segment_findings,
)
from routing.edges.lost_rows import lost_by_variant, untold_since
from routing.models import Edge

SEVERAL = 2


def health_findings(
    experiment: Experiment, plan: JudgePlan, collected: CollectedEvidence, now: datetime
) -> tuple[Finding, ...]:
    """What is wrong with the records or the randomisation; a check that raises is a finding itself."""
    return (
        *checked("The records", lambda: check_health(_evidence(experiment, plan, collected, now))),
        *checked("Requests without a record", lambda: check_health(_of_records(experiment, plan, collected))),
        *checked("The split of users at each edge", lambda: _edge_findings(experiment, plan, collected)),
    )


def _evidence(experiment: Experiment, plan: JudgePlan, collected: CollectedEvidence, now: datetime) -> HealthEvidence:
    units, sums = collected.evidence.units, collected.evidence.sums
    overlap = Overlap(sum(units.values()) + collected.units_in_two_arms, collected.units_in_two_arms, {})
    by_metric: dict[str, dict[str, UnitSums]] = {}
    for (metric, variant), found in sums.items():
        by_metric.setdefault(metric, {})[variant] = found
    stage = Stage("all stages", plan.shares, units)
    return HealthEvidence(
        plan.control,
        (stage,),
        overlap,
        _before(plan, collected),
        sums=by_metric,
        traffic=_traffic(experiment, collected, now),
        read=collected.read,
        last_answers=collected.last_answers,
    )


def _before(plan: JudgePlan, collected: CollectedEvidence) -> Mapping[str, Mapping[str, UnitSums]]:
    """What the metrics that have a past were of users of before, by metric and variant."""
    told = {
        metric: {name: sums.past for name, sums in variants.items()}
        for metric, variants in collected.covariates.items()
    }
    return {metric: variants for metric, variants in told.items() if plan.control in variants}


def _traffic(experiment: Experiment, collected: CollectedEvidence, now: datetime) -> TrafficSoFar:
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    return TrafficSoFar(experiment.started_at, sum(collected.requests.values()), collected.last_time, now)


def _of_records(experiment: Experiment, plan: JudgePlan, collected: CollectedEvidence) -> HealthEvidence:
    """Requests with a row, and those that edges answered and could not record."""
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    kept = {variant: collected.requests.get(variant, 0) for variant in plan.shares}
    untold = tuple(f"edge {edge}" for edge in untold_since(experiment.started_at))
    return HealthEvidence(plan.control, records=LostRecords(kept, lost_by_variant(experiment.key), untold))


def _edge_findings(experiment: Experiment, plan: JudgePlan, collected: CollectedEvidence) -> Iterable[Finding]:
    """Which edge does not split users as it was told, where there are several."""
    if Edge.objects.count() < SEVERAL:
        return ()
    return segment_findings([_by_edge(experiment, plan, collected)])


def _by_edge(experiment: Experiment, plan: JudgePlan, collected: CollectedEvidence) -> Stage:
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    units = collected.units_by_edge
    if units is None:
        units = units_by_edge(get_environment().lake_url, experiment.key, experiment.started_at)
    return Stage("all stages", plan.shares, {}, {("edge", edge): counts for edge, counts in units.items()})
