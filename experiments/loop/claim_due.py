"""Take the experiments that are due, so that no two workers take the same one."""

from datetime import UTC, datetime, timedelta

from experiments.lifecycle.lease import unleased
from experiments.models import Experiment
from experiments.models.experiment import LIVE_STATES


def claim_due(now: datetime, *, waiting: int = 0) -> list[int]:
    """Primary keys of the due experiments that this call won; each is due again one tick of its plan later.

    With those `waiting` for a worker since earlier calls they are no more than all that are live, who has been due for
    longest first: where workers are slow, each has its turn, and what waits grows no further. A claim that is never
    worked on, because its worker died, is simply due again at the next tick. Whom a worker is still at is due once it
    is done.
    """
    live = Experiment.objects.filter(unleased(), state__in=LIVE_STATES)
    due = [
        (_due_since(due_at, now), pk, due_at, tick_seconds)
        for pk, due_at, tick_seconds in live.values_list("pk", "next_tick_at", "plan__tick_seconds")
        if _is_rhythm(tick_seconds) and _is_due(due_at, now, timedelta(seconds=tick_seconds))
    ]
    room = max(0, Experiment.objects.filter(state__in=LIVE_STATES).count() - waiting)
    return [pk for _, pk, due_at, tick_seconds in sorted(due)[:room] if _claim(pk, due_at, now, tick_seconds)]


def _is_rhythm(tick_seconds: object) -> bool:
    """Whether its plan has one; of an experiment whose rows are broken it may not, and keeps no other waiting."""
    return isinstance(tick_seconds, int | float)


def _is_due(due_at: datetime | None, now: datetime, tick: timedelta) -> bool:
    """Also when it would be due much later than a tick: then the clock was set back since."""
    return due_at is None or not now < due_at <= now + 2 * tick


def _due_since(due_at: datetime | None, now: datetime) -> datetime:
    """Ever since, if nothing tells when."""
    return due_at if due_at is not None and due_at <= now else datetime.min.replace(tzinfo=UTC)


def _claim(pk: int, due_at: datetime | None, now: datetime, tick_seconds: float) -> bool:
    claimed = Experiment.objects.filter(pk=pk, next_tick_at=due_at)
    return bool(claimed.update(next_tick_at=now + timedelta(seconds=tick_seconds)))
