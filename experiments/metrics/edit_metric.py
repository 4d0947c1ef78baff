"""Change a metric."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from experiments.metrics.checks import check_meaning
from experiments.models import Experiment, Metric, State
from experiments.models.metric import MEANING


def edit_metric(metric: Metric, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> None:
    """Set these fields, and no others, of a metric as it is now; with `version`, only when that is the present one.

    Plans that were started keep what it meant then; drafts that use it come to be others than who opened them before
    saw. Raises `NotAllowed`; `Missing` and `Outdated`; `InvalidInput` when
    its measures make no sense; `Conflict` when a default guardrail would come to mean something else. Then nothing is
    saved.
    """
    writes.edit(metric, changes, actor=actor, version=version, check=_check)


def _check(metric: Metric, before: Mapping[str, Any]) -> None:
    check_meaning(metric)
    if any(before[name] != getattr(metric, name) for name in MEANING):
        drafts = Experiment.objects.filter(state=State.DRAFT, plan__metrics__metric=metric)
        drafts.update(version=F("version") + 1)
