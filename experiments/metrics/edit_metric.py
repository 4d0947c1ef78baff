"""Change a metric."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.catalogue import writes
from experiments.metrics.checks import check_meaning
from experiments.models import Metric


def edit_metric(metric: Metric, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> None:
    """Set these fields, and no others, of a metric as it is now; with `version`, only when that is the present one.

    Plans that were started keep what it meant then. Raises `NotAllowed`; `Missing` and `Outdated`; `InvalidInput` when
    its measures make no sense; `Conflict` when a default guardrail would come to mean something else. Then nothing is
    saved.
    """
    writes.edit(metric, changes, actor=actor, version=version, check=lambda changed, before: check_meaning(changed))
