"""From a plan and its evidence to cells."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Evidence, JudgePlan, MetricPlan
from experiments.stats.judging.adjusted import adjusted
from experiments.stats.judging.cells import NOTHING, Cells, Name, arrange, candidates_of


def gather(plan: JudgePlan, evidence: Evidence) -> Cells:
    """Put the plan and its evidence in columns."""
    return gather_without(plan, evidence, {})


def gather_without(plan: JudgePlan, evidence: Evidence, troubles: Mapping[Name, str]) -> Cells:
    """Put the plan and its evidence in columns; cells with troubles have those as notes, as if nothing was measured."""
    places = list(product(plan.metrics, candidates_of(plan)))
    metrics, variants = [metric for metric, _ in places], [variant for _, variant in places]
    treated = [evidence.sums.get((metric.key, variant), NOTHING) for metric, variant in places]
    untreated = [evidence.sums.get((metric.key, plan.control), NOTHING) for metric in metrics]
    names = [(metric.key, variant) for metric, variant in places] if troubles else []
    troubled = {place: troubles[name] for place, name in enumerate(names) if name in troubles}
    for place in troubled:
        treated[place] = untreated[place] = NOTHING
    heavy = np.array([_heavy(evidence, metric, variant, plan.control) for metric, variant in places], dtype=np.float64)
    cells = arrange(metrics, variants, SumsColumns.of(treated), SumsColumns.of(untreated), heavy=heavy)
    if evidence.adjustments:
        cells = adjusted(cells, evidence, plan.control)
    if not troubled:
        return cells
    return replace(cells, notes=tuple(troubled.get(place, note) for place, note in enumerate(cells.notes)))


def _heavy(evidence: Evidence, metric: MetricPlan, *variants: str) -> float:
    """The denominator total of heavy units, of the variant in which it is larger."""
    return max(evidence.heavy.get((metric.key, variant), 0.0) for variant in variants)
