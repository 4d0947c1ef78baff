"""Take away a metric that no plan uses."""

from django.db.models import ProtectedError

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.problems.errors import Conflict
from controlplane.storage.races import beside_others
from controlplane.storage.versions import locked
from experiments.metrics.checks import metric_snapshot, refuse_removal
from experiments.models import Metric


def remove_metric(metric: Metric, *, actor: Actor, version: int | None = None) -> None:
    """Delete a metric; with `version`, only when that is its present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; and `Conflict` when a plan uses it, or all do by default.
    """
    actor.require(Role.OPERATOR)
    refuse_removal(metric)
    try:
        with beside_others():
            present = locked(metric, version=version)
            record(actor, "remove", "metric", present.key, before=metric_snapshot(present))
            present.delete()
    except ProtectedError as error:
        raise Conflict(
            "in-use", f"The metric {metric.key} is part of a plan.", next_step="Keep it, or delete the draft first."
        ) from error
