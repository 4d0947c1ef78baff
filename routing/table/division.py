"""How the arms of an experiment share its buckets."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from routing.table.basis_points import BUCKETS, WHOLE


def divide(start: int, buckets: int, weights: Sequence[int]) -> list[tuple[int, int]]:
    """Half-open spans in proportion to the weights; rounding never leaves a gap or an overlap.

    >>> divide(100, 5, [1, 1])
    [(100, 102), (102, 105)]
    """
    total = sum(weights)
    edges = [start + round(buckets * before / total) for before in accumulate(weights, initial=0)]
    return list(pairwise(edges))


def enough_buckets(buckets: int, weights: Sequence[int]) -> int | None:
    """The smallest number from `buckets` on with which every arm has one; None when all of them are too few.

    >>> enough_buckets(1, [1, 1]), enough_buckets(1, [99, 1])
    (2, 51)
    """
    return next((number for number in range(buckets, BUCKETS + 1) if _all_have_one(number, weights)), None)


def width_at(width: int, coverage: int) -> int:
    """How many buckets of a span are in: to the nearest, at least one above zero coverage.

    It never falls when the coverage grows, so a unit that is in stays in.
    """
    share = (width * coverage + WHOLE // 2) // WHOLE
    return max(share, 1) if coverage > 0 else 0


def shares_at(buckets: int, weights: Sequence[int], coverage: int) -> list[float]:
    """The share that each arm has of the users who are in: about that of its weight, as buckets are whole.

    >>> shares_at(100, [3, 1], 500), shares_at(100, [3, 1], 10_000)
    ([0.8, 0.2], [0.75, 0.25])
    """
    widths = [width_at(end - start, coverage) for start, end in divide(0, buckets, weights)]
    return [width / sum(widths) for width in widths]


def _all_have_one(buckets: int, weights: Sequence[int]) -> bool:
    return all(start < end for start, end in divide(0, buckets, weights))
