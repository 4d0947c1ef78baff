"""Requests that wait for a decision: few at once, so that a brake always finds a thread and a connection."""

from collections.abc import Callable
from threading import BoundedSemaphore, Event
from time import monotonic

from django.db import connection

from experiments.models import Experiment
from experiments.models.experiment import ENDED_STATES

LONGEST_WAIT_SECONDS = 55
"""Less than the time that the front gives an answer."""

MOST_WAITING = 2
"""Requests of one process that wait at once; each keeps one of its threads."""

LOOK_AGAIN_SECONDS = 1.0

closing = Event()
"""Set when this process is about to end: whoever waits is answered, and comes again."""

_places = BoundedSemaphore(MOST_WAITING)

Pause = Callable[[float], bool]


def wait_until_decided(key: str, seconds: float, pause: Pause = closing.wait) -> bool:
    """Wait until an experiment has ended or is gone, so many seconds at the most.

    Returns whether it could be waited for: not where all places are taken, or where `pause`, which waits so many
    seconds, says to give up. No connection to the database is held between two looks.
    """
    if not _places.acquire(blocking=False):
        return False
    try:
        return _look_until_decided(key, seconds, pause)
    finally:
        _places.release()


def _look_until_decided(key: str, seconds: float, pause: Pause) -> bool:
    end = monotonic() + seconds
    while (left := end - monotonic()) > 0 and _is_undecided(key):
        connection.close()
        if pause(min(left, LOOK_AGAIN_SECONDS)):
            return False
    return True


def _is_undecided(key: str) -> bool:
    return Experiment.objects.filter(key=key).exclude(state__in=ENDED_STATES).exists()
