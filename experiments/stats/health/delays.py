"""How long after their requests outcomes come, and when a request has had the time for its own.

A delay can only be seen once it is over, so that among new requests all that is seen is short (right truncation).
Delays are therefore read only from requests that are at least twice as old as the delay in question.
References: Kalbfleisch and Lawless, Inference based on retrospective ascertainment (JASA 1989); Lagakos, Barraj and De
Gruttola, Nonparametric analysis of truncated survival data (Biometrika 1988).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.stats.core.arrays import Floats

STEPS = 8
"""Steps of the scale of delays and ages in a doubling: neighbours are 9 % apart. Step k is 2^(k / 8) seconds."""

FEWEST = 10
"""Outcomes of an arm from which on its delays can be told."""

LATE_SHARE = 0.01
"""Share of an arm's outcomes that may come after the settling time."""

PATIENCE = 100.0
"""Times the settling time for which the requests of an arm wait when none of them has an outcome any more."""

WATCHED = 7.0
"""Times the shortest settling time for which outcomes are watched before any counts: some may be late, others not."""

Counts = NDArray[np.int64]
NONE: Counts = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Delays:
    """How many outcomes of one arm came so late to requests of such an age; one entry each in three arrays.

    `ages` are the last steps of the scale that the requests have reached, `delays` the first ones that are not before
    the outcomes.
    """

    ages: Counts
    delays: Counts
    counts: Counts

    @classmethod
    def of(cls, ages: ArrayLike, delays: ArrayLike) -> "Delays":
        """From the ages of requests and the delays of their outcomes, in seconds, one entry an outcome.

        >>> Delays.of([100.0, 100.0, 2.0], [0.5, 0.5, 2.0]).counts.tolist()
        [1, 2]
        """
        reached, passed = (np.log2(np.maximum(np.asarray(each, dtype=np.float64), 1.0)) for each in (ages, delays))
        steps = np.column_stack([np.floor(STEPS * reached + 1e-9), np.ceil(STEPS * passed - 1e-9)]).astype(np.int64)
        kinds, counts = np.unique(steps, axis=0, return_counts=True)
        return cls(kinds[:, 0], kinds[:, 1], counts.astype(np.int64))

    @property
    def total(self) -> int:
        """Outcomes of the arm."""
        return int(self.counts.sum())

    @property
    def is_known(self) -> bool:
        """Whether there are enough to tell how late they come."""
        return self.total >= FEWEST

    def settles_at(self, first: int) -> int | None:
        """The first step from `first` on after which at most 1 % of the outcomes come; None if none is to be seen yet.

        Of a step s only requests of twice its age tell: at least 10 outcomes of them, of which at most 1 % took longer.
        That must hold of all such requests, and of those that are no older than 8 s where these have 100 outcomes, so
        that a change for the slower is noticed after a long time without.
        """
        for step in [first, *np.unique(self.delays[self.delays > first]).tolist()]:
            old = self.ages >= step + STEPS
            if self.counts[old].sum() < FEWEST:
                return None
            new = old & (self.ages < step + 3 * STEPS)
            is_known = self.counts[new].sum() * LATE_SHARE >= 1.0
            if self._is_settled(old, step) and (not is_known or self._is_settled(new, step)):
                return int(step)
        return None

    def _is_settled(self, among: NDArray[np.bool_], step: int) -> bool:
        late = self.counts[among & (self.delays > step)].sum()
        return bool(late <= LATE_SHARE * self.counts[among].sum())


def settling_seconds(arms: Sequence[Delays], shortest: float, oldest: float) -> float | None:
    """Seconds after which at most 1 % of the outcomes of any arm come, and at least `shortest`.

    `oldest` is the age of the oldest request in seconds. None while outcomes still come as late as could be seen, or
    were watched for less than 7 times the shortest time; and while an arm has fewer than 10 beside one that has more,
    as its own may come later, but not once the oldest request has waited for 100 times as long. Where no arm has 10
    outcomes nothing can be measured, nor decided by them: then it is half of the time there was, and at most 100 times
    the shortest.

    >>> steps = np.array([32, 40])  # outcomes 16 s after requests that are 16 s old, and more than 32 s old
    >>> slow = Delays(ages=steps, delays=np.array([32, 32]), counts=np.array([50, 50]))
    >>> settling_seconds([slow], 2.0, oldest=40.0)
    16.0
    """
    first = math.ceil(STEPS * math.log2(max(shortest, 1.0)) - 1e-9)
    known = [arm for arm in arms if arm.is_known]
    if not known:
        return min(max(shortest, oldest / 2.0), PATIENCE * shortest)
    if oldest < WATCHED * shortest:
        return None
    steps = [arm.settles_at(first) for arm in known]
    if any(step is None for step in steps):
        return None
    settling = max([shortest, *(2.0 ** (step / STEPS) for step in steps if step is not None and step > first)])
    return settling if len(known) == len(arms) or oldest > PATIENCE * settling else None


def youngest(settling: float, newest: Iterable[float]) -> float:
    """The age in seconds from which on requests count, given the ages of each arm's newest that has an outcome.

    It is the settling time, or the age of those newest, that an arm whose outcomes come later from now on does not look
    as if it had none any more; but not where that is 100 settling times ago.

    >>> youngest(60.0, [10.0, 90.0]), youngest(60.0, [10.0, 9000.0])
    (90.0, 60.0)
    """
    age = max([settling, *newest])
    return age if age <= PATIENCE * settling else settling


def delay_scores(arms: Sequence[Delays]) -> tuple[Counts, Floats]:
    """The steps of all arms' delays, and the score of each: the mean rank of its outcomes among all, from 0 to 1.

    Equal delays in two arms have scores of equal means, whatever their distribution; ½ is the mean of all.
    Reference: Wilcoxon, Individual comparisons by ranking methods (Biometrics 1945).

    >>> arm = Delays(ages=np.array([9, 9]), delays=np.array([0, 8]), counts=np.array([3, 1]))
    >>> [each.tolist() for each in delay_scores([arm])]
    [[0, 8], [0.375, 0.875]]
    """
    steps, places = np.unique(np.concatenate([NONE, *(arm.delays for arm in arms)]), return_inverse=True)
    counts = np.bincount(places, np.concatenate([NONE, *(arm.counts for arm in arms)]), steps.size)
    upto = counts.cumsum()
    return steps, np.asarray((upto - counts / 2.0) / max(counts.sum(), 1.0), dtype=np.float64)
