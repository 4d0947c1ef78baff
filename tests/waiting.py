"""Waiting in tests for what other processes bring about: for a state, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 600.0
"""How long a test waits for what should come: on a busy machine it comes late, and only what never comes is missed."""

MOST_OFTEN_SECONDS = 0.01
LEAST_OFTEN_SECONDS = 0.25

Seen = TypeVar("Seen")


def wait_until(look: Callable[[], Seen | None], *, seconds: float = PATIENCE_SECONDS) -> Seen:
    """Look until there is something to see, less often the longer it takes; returns what was seen.

    Raises:
        TimeoutError: there was nothing within `seconds`.

    """
    began = time.monotonic()
    while not (seen := look()):
        waited = time.monotonic() - began
        if waited > seconds:
            raise TimeoutError(f"It did not come about within {seconds:g} s.")
        time.sleep(min(max(waited / 10, MOST_OFTEN_SECONDS), LEAST_OFTEN_SECONDS))
    return seen
