"""Change a metric."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.problems.errors import Conflict
from controlplane.storage.races import beside_others
from controlplane.storage.versions import change, locked
from experiments.metrics.checks import check_metric, metric_snapshot, refuse_redefinition
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
    actor.require(Role.OPERATOR)
    with beside_others():
        present = locked(metric, version=version)
        before = metric_snapshot(present)
        if change(
            present, changes, refuse_redefinition, check_metric, lambda changed: _refuse_new_meaning(changed, before)
        ):
            record(actor, "edit", "metric", present.key, before=before, after=metric_snapshot(present))


def _refuse_new_meaning(metric: Metric, before: dict[str, object]) -> None:
    changed = [name for name in MEANING if before[name] != getattr(metric, name)]
    if changed and metric.plans.filter(plan__frozen_at__isnull=False).exists():
        raise Conflict(
            "metric-in-use",
            f"Experiments that have started use this metric; changing {' and '.join(changed)} would change their plan.",
            next_step="Define a new metric.",
        )
