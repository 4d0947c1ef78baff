"""Answer edges that took a candidate out by themselves."""

from django.db import transaction

from controlplane.actors import SLUICE
from controlplane.audit import record
from experiments.actions.halt import halt
from experiments.actions.transition import publish_after_commit
from experiments.decide.cuts import heed
from experiments.models import Experiment
from routing.actions.place import give_back
from routing.queries import cuts_of


def heed_guard(experiment: Experiment) -> bool:
    """Halt the experiment, or give the candidate back, if an edge took it out; False when none did.

    Edges repeat what they took out until it is answered, so nothing is lost when this is killed at any point.
    Raises `Conflict` when somebody else ended the experiment first.
    """
    cuts = cuts_of(experiment.key)
    if not cuts:
        return False
    decision = heed(cuts)
    if decision is not None:
        halt(experiment, decision, actor=SLUICE, analysis=experiment.analyses.first())
        return True
    reason = f"The edge took {cuts[0].variant} out, and no control was there to compare it with."
    with transaction.atomic():
        give_back(experiment.key, guard_round=cuts[0].guard_round + 1)
        record(SLUICE, "give-back", "experiment", experiment.key, reason=reason)
        publish_after_commit(f"{experiment.key}: {cuts[0].variant} is given back")
    return True
