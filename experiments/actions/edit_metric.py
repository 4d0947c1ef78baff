"""Change a metric."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from experiments.metric_checks import check_metric, metric_snapshot
from experiments.models import Metric

MEANING = (
    "key",
    "type",
    "numerator",
    "denominator",
    "direction",
    "level",
    "cap",
    "window_from_hours",
    "window_to_hours",
)


def edit_metric(metric: Metric, *, actor: Actor) -> None:
    """Save a changed metric.

    Raises `NotAllowed`; `InvalidInput` when its measures make no sense; `Conflict` when a frozen plan would come to
    mean something else.
    """
    actor.require(Role.OPERATOR)
    check_metric(metric)
    with transaction.atomic():
        before = metric_snapshot(Metric.objects.get(pk=metric.pk))
        _refuse_new_meaning(metric, before)
        metric.save(force_update=True)
        record(actor, "edit", "metric", metric.key, before=before, after=metric_snapshot(metric))


def _refuse_new_meaning(metric: Metric, before: dict[str, object]) -> None:
    changed = [name for name in MEANING if before[name] != getattr(metric, name)]
    if changed and metric.plans.filter(plan__frozen_at__isnull=False).exists():
        raise Conflict(
            "metric-in-use",
            f"Experiments that have started use this metric; changing {' and '.join(changed)} would change their plan.",
            next_step="Define a new metric.",
        )
