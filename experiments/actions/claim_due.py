"""Take the experiments that are due, so that no two workers take the same one."""

from datetime import datetime, timedelta

from experiments.models import Experiment
from experiments.models.experiment import LIVE_STATES


def claim_due(now: datetime) -> list[int]:
    """Primary keys of the due experiments that this call won; each is due again one tick of its plan later.

    A claim that is never worked on, because its worker died, is simply due again at the next tick.
    """
    due = Experiment.objects.filter(state__in=LIVE_STATES, next_tick_at__lte=now)
    return [
        pk
        for pk, due_at, tick_seconds in due.values_list("pk", "next_tick_at", "plan__tick_seconds")
        if Experiment.objects.filter(pk=pk, next_tick_at=due_at).update(
            next_tick_at=now + timedelta(seconds=tick_seconds)
        )
    ]
