"""Add a metric."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.models import Role
from experiments.metric_checks import check_metric, metric_snapshot
from experiments.models import Metric


def define_metric(metric: Metric, *, actor: Actor) -> None:
    """Save a new metric. Raises `NotAllowed`, and `InvalidInput` when its measures make no sense."""
    actor.require(Role.OPERATOR)
    check_metric(metric)
    with transaction.atomic():
        metric.save(force_insert=True)
        record(actor, "define", "metric", metric.key, after=metric_snapshot(metric))
