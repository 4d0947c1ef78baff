"""Waiting in tests for what other processes bring about."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Return as soon as the condition holds.

    Raises:
        TimeoutError: it did not within `seconds`.

    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {seconds} s")
        time.sleep(0.02)
