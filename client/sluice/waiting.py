"""Waiting for a decision, whatever becomes of the server meanwhile."""

from collections.abc import Callable
from math import ceil
from time import monotonic, sleep

from sluice.calls import LONGEST_WAIT_SECONDS, Client
from sluice.gate import Gate
from sluice.problems import TimedOut, Unreachable

AGAIN_SECONDS = 2.0
SHORTEST_PAUSE_SECONDS = 0.5
GRACE_SECONDS = 10.0
"""How much longer than it was asked to wait a server may take to answer."""

Told = Callable[[Gate | Unreachable], None]


def unheard(_: Gate | Unreachable) -> None:
    """Nobody wants to hear what it waits for."""


def wait_until_decided(client: Client, key: str, seconds: float, told: Told = unheard) -> Gate:
    """The gate once it is decided. `told` hears of each answer before, and of each that did not come.

    Raises:
        TimedOut: it was not decided within so many seconds, or nothing answered until then.
        Refused: Sluice says no, and would say so again.

    """
    end = monotonic() + seconds
    found: Gate | Unreachable | None = None
    while True:
        # What is the case is asked first, and again when the server is back, so that it can be told.
        found = _ask(client, key, max(0.0, end - monotonic()) if isinstance(found, Gate) else 0.0)
        if isinstance(found, Gate) and found.decided:
            return found
        left = end - monotonic()
        if left <= 0:
            raise _timed_out(found)
        told(found)
        sleep(min(_pause(found), left))


def _ask(client: Client, key: str, left: float) -> Gate | Unreachable:
    try:
        return client.gate(key, wait=min(ceil(left), LONGEST_WAIT_SECONDS), seconds=GRACE_SECONDS)
    except Unreachable as error:
        return error


def _pause(found: Gate | Unreachable) -> float:
    """How long to leave the server alone."""
    if isinstance(found, Unreachable):
        return AGAIN_SECONDS
    return found.retry_after or SHORTEST_PAUSE_SECONDS


def _timed_out(found: Gate | Unreachable) -> TimedOut:
    if isinstance(found, Unreachable):
        return TimedOut("timed-out", f"There was no answer until the time was over. {found.detail}", found.next_step)
    detail = f"There was no decision until the time was over. {found.sentence}"
    return TimedOut("timed-out", detail, f"Give it more time with `--timeout`. {found.waits_for}".strip())
