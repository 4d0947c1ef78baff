"""Add a metric."""

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from experiments.metrics.checks import check_meaning
from experiments.models import Metric


def define_metric(metric: Metric, *, actor: Actor) -> None:
    """Save a new metric.

    Raises `NotAllowed`; `InvalidInput` when its measures make no sense; `Conflict` when its key has just been
    taken, or is that of a default guardrail which measures something else.
    """
    writes.add(metric, actor=actor, verb="define", check=check_meaning)
