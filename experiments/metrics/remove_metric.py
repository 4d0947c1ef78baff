"""Take away a metric that no plan uses."""

from django.db.models import ProtectedError

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from controlplane.problems.errors import Conflict
from experiments.metrics.checks import refuse_removal
from experiments.models import Metric


def remove_metric(metric: Metric, *, actor: Actor, version: int | None = None) -> None:
    """Delete a metric; with `version`, only when that is its present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; and `Conflict` when a plan uses it, or all do by default.
    """
    try:
        writes.remove(metric, actor=actor, version=version, check=refuse_removal)
    except ProtectedError as error:
        raise Conflict(
            "in-use", f"The metric {metric.key} is part of a plan.", next_step="Keep it, or delete the draft first."
        ) from error
