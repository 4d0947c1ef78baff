"""Add a metric."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.storage.races import beside_others, insert
from experiments.metrics.checks import check_metric, metric_snapshot, refuse_redefinition
from experiments.models import Metric


def define_metric(metric: Metric, *, actor: Actor) -> None:
    """Save a new metric.

    Raises `NotAllowed`; `InvalidInput` when its measures make no sense; `Conflict` when its key has just been
    taken, or is that of a default guardrail which measures something else.
    """
    actor.require(Role.OPERATOR)
    check_metric(metric)
    refuse_redefinition(metric)
    with beside_others():
        insert(metric)
        record(actor, "define", "metric", metric.key, after=metric_snapshot(metric))
