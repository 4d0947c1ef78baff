"""Answer edges that ejected a candidate."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from controlplane.audit.actors import SLUICE
from controlplane.audit.record import record
from experiments.actions.halt import halt
from experiments.decide.rules.cut_out import heed
from experiments.lifecycle.transition import publish_after_commit
from experiments.models import Experiment
from routing.allocation.allocate import reinstate
from routing.edges.reported import cuts_of
from routing.guard import Cut


def heed_guard(experiment: Experiment, *, at: datetime | None = None) -> bool:
    """Halt the experiment, or reinstate candidates, if edges ejected any; False when none did.

    Edges repeat what they ejected until it is answered, so nothing is lost when this is killed at any point.
    Raises `Conflict` when somebody else ended the experiment first.
    """
    cuts = cuts_of(experiment.key)
    if not cuts:
        return False
    decision = heed(cuts)
    if decision is not None:
        halt(experiment, decision, actor=SLUICE, analysis=experiment.analyses.first(), at=at)
    else:
        _reinstate(experiment, cuts, at)
    return True


def _reinstate(experiment: Experiment, cuts: Sequence[Cut], at: datetime | None) -> None:
    with transaction.atomic():
        given = reinstate(experiment.key, {cut.variant: cut.guard_round for cut in cuts})
        if given:
            names = " and ".join(given)
            reason = f"The edge ejected {names}, and had no control to compare with."
            after = {"variants": given}
            record(SLUICE, "reinstate", "experiment", experiment.key, after=after, reason=reason, at=at)
            publish_after_commit(f"{experiment.key}: {names} reinstated")
