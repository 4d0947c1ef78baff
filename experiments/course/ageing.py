"""Which points of a course are kept as they age."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = timedelta(seconds=1)

GRAINS: Final = (
    (timedelta(minutes=10), 10),
    (timedelta(hours=3), 60),
    (timedelta(days=3), 3600),
    (timedelta(days=365), 86_400),
    (timedelta.max, 7 * 86_400),
)
"""Up to which age one point is kept in how many seconds; each step holds whole ones of the step before."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def passed_over(points: Iterable[tuple[int, datetime]], now: datetime) -> list[int]:
    """The keys of points, of (key, time) in order of time, that another of the same step follows."""
    kept: dict[tuple[int, int], int] = {}
    gone: list[int] = []
    for key, at in points:
        grain = next(seconds for age, seconds in GRAINS if now - at < age)
        step = grain, (at - EPOCH) // (grain * SECOND)
        if step in kept:
            gone.append(kept[step])
        kept[step] = key
    return gone
