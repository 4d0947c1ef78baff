"""Take the experiments whose exploration is due, so that no two workers take the same one."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from experiments.models import Experiment, Exploration, State
from experiments.models.experiment import LIVE_STATES

LONGEST = timedelta(minutes=30)
"""After so long a claim that nobody worked off, as its worker died, is due again."""


def claim_due_explorations(now: datetime) -> list[int]:
    """Primary keys of the experiments that this call won: those with dimensions, live or ended since the last time."""
    changing = (
        Q(state__in=LIVE_STATES) | Q(exploration=None) | Q(exploration__at=None) | Q(exploration__at__lt=F("ended_at"))
    )
    asked = Experiment.objects.exclude(state=State.DRAFT).exclude(plan__dimensions=[]).filter(changing)
    due = asked.filter(Q(exploration=None) | Q(exploration__due_at__lte=now))
    return [pk for pk in due.values_list("pk", flat=True) if _claim(pk, now)]


def _claim(pk: int, now: datetime) -> bool:
    Exploration.objects.get_or_create(experiment_id=pk, defaults={"due_at": now})
    claimed = Exploration.objects.filter(experiment_id=pk, due_at__lte=now)
    return bool(claimed.update(due_at=now + LONGEST))
