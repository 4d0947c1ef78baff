"""Change a metric."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from controlplane.problems.errors import Conflict
from experiments.metrics.checks import check_meaning
from experiments.models import Metric

MEANING = (
    "type",
    "numerator",
    "denominator",
    "direction",
    "level",
    "cap",
    "window_from_hours",
    "window_to_hours",
    "settling_seconds",
)


def edit_metric(metric: Metric, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> None:
    """Set these fields, and no others, of a metric as it is now; with `version`, only when that is the present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; `InvalidInput` when its measures make no sense; `Conflict` when a
    frozen plan, or a default guardrail, would come to mean something else. Then nothing is saved.
    """
    writes.edit(metric, changes, actor=actor, version=version, check=_refuse_new_meaning)


def _refuse_new_meaning(metric: Metric, before: Mapping[str, Any]) -> None:
    check_meaning(metric)
    changed = [name for name in MEANING if before[name] != getattr(metric, name)]
    if changed and metric.plans.filter(plan__frozen_at__isnull=False).exists():
        raise Conflict(
            "metric-in-use",
            f"Experiments that have started use this metric; changing {' and '.join(changed)} would change their plan.",
            next_step="Define a new metric.",
        )
