"""Parts of all users, requests or buckets, in 1/10 000."""

from typing import Self

BUCKETS = 10_000
"""Into which users fall."""


class BasisPoints(int):
    """A part in 1/10 000: exact where a share or per cent would be rounded.

    >>> half = BasisPoints.of_percent(0.5)
    >>> half, half.percent, half.share
    (50, 0.5, 0.005)
    """

    @classmethod
    def of_percent(cls, percent: float) -> Self:
        """The nearest to so many per cent."""
        return cls(round(percent * 100))

    @property
    def percent(self) -> float:
        """Of a hundred."""
        return self / 100

    @property
    def share(self) -> float:
        """Of one."""
        return self / 10_000


WHOLE = BasisPoints(10_000)
"""All of it; as coverage, all of each arm's span."""
