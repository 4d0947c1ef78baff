"""When a look is due: with each step of progress, and the last of all when nothing more can come."""

from collections.abc import Sequence

ROUNDING = 1e-9


def look_is_due(now: float, before: float, *, taken: int, planned: int, time_is_over: bool = False) -> bool:
    """Whether there is a step more of progress than at the last look, or the last look of all has come.

    Progress only grows, from 0 to 1, so steps of 1 / looks are never more than the looks of the plan. The last of
    those waits until nothing more can come: it may spend all of alpha that is left.

    >>> look_is_due(0.3, 0.25, taken=1, planned=4), look_is_due(0.5, 0.25, taken=1, planned=4)
    (False, True)
    >>> look_is_due(0.9, 0.5, taken=3, planned=4), look_is_due(1.0, 0.5, taken=3, planned=4)
    (False, True)
    """
    is_end = time_is_over or now >= 1.0 > before
    if taken >= planned - 1:
        return is_end and taken < planned
    return is_end or now - before >= 1.0 / planned - ROUNDING


def halfway(shares: Sequence[float]) -> float:
    """Progress: halfway between the largest and the smallest share that a metric has of its information.

    So half of the looks come while the quickest metric is learnt, and half while the slowest is.

    >>> halfway([0.5, 0.1, 0.3])
    0.3
    """
    return (min(shares) + max(shares)) / 2.0 if shares else 0.0
