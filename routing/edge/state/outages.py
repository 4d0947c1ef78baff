"""Waiting for a server that is away: longer each time, and saying so once."""

from collections.abc import Callable
from threading import Event

import structlog

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0


def repeat(work: Callable[[], float], *, what: str, failures: tuple[type[Exception], ...], stop: Event) -> None:
    """Do `work` until stopped; it returns the seconds to wait before the next time.

    When it raises one of `failures` it is tried again, after a wait that doubles each time.
    """
    failed = 0
    wait = 0.0
    while not stop.wait(wait):
        try:
            wait = work()
        except failures as error:
            wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**failed)
            failed += 1
            if failed == 1:
                log.warning("waiting", what=what, reason=str(error))
        else:
            if failed:
                log.info("going on", what=what, attempts=failed)
            failed = 0
