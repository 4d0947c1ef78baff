"""When evidence of harm starts anew: planned moments after the start, each with a share of alpha of its own.

Sums from the start on dilute a change: after n clean users, m harmed ones show (m / (n + m)) of the effect, and the
delay of a halt grows with n. So the test is made from later starts too. All are planned: multiples of a tick, counted
from the start. Start number n belongs to every level k whose step 2^k divides it, and is used at level k while its age
is between 4 and 8 steps; then only the coarser levels keep it. At each moment about four starts an octave of ages are
in use, the number of all is of the order of log(ticks), and for a change of any age one lies close behind it.

The shares of all (start, level) sum to 1, over any time. Those of one octave [2^o, 2^(o+1)) of numbers share
4 / ((i + 4)(i + 5)), where i counts octaves from the ninth on and the first nine are one; within it all levels with up
to 256 starts have equal shares, and finer ones half as much each as the one before. A change after up to a hundred
times its own delay so costs about 8 nats, and each doubling of the time before it another 1.4 at the most.

References: Shin, Ramdas and Rinaldo, E-detectors (arXiv 2203.03532); Lorden, Procedures for reacting to a change in
distribution (Ann. Math. Stat. 1971), for tests from every start; the union bound asks no common filtration, which
users who come back would not give (statistics of a user's totals since two starts are dependent).
"""

import math
from dataclasses import dataclass
from functools import cache

STEPS = 4
"""A start is used from this many steps of its level on, and until twice as many."""
FINE = 8
"""Levels below that of an octave which have equal shares."""
FOR_FINER = 0.15
"""The part of an octave's share for levels that are finer still."""
SLOWNESS = 4.0


@dataclass(frozen=True, slots=True)
class PlannedStart:
    """A start so many ticks after the first, at the level that it is used at now; `share` is its part of alpha."""

    ticks: int
    level: int
    share: float


def starts_in_use(ticks: float) -> tuple[PlannedStart, ...]:
    """The planned starts that are used so many ticks after the first, oldest first.

    >>> [int(1000 - start.ticks) for start in starts_in_use(1000)][-8:]
    [14, 12, 10, 8, 7, 6, 5, 4]
    """
    found = [
        PlannedStart(number, level, share_of(number, level))
        for level in range(max(int(ticks / STEPS), 1).bit_length())
        for number in _of_level(ticks, 2**level)
    ]
    return tuple(sorted(found, key=lambda start: start.ticks))


def _of_level(ticks: float, step: int) -> range:
    """The numbers of the starts of a level with an age of at least 4 of its steps, and less than 8."""
    youngest = math.floor((ticks - STEPS * step) / step)
    oldest = math.floor((ticks - 2 * STEPS * step) / step) + 1
    return range(max(oldest, 1) * step, (youngest + 1) * step, step)


@cache
def share_of(number: int, level: int) -> float:
    """The part of alpha that a start has at a level; all of them sum to 1.

    >>> round(sum(share_of(n, k) for n in range(1, 2**12) for k in range(12) if n % 2**k == 0), 3)
    0.485
    """
    octave = number.bit_length() - 1
    later = max(octave - FINE, 0)
    of_octave = SLOWNESS / ((later + SLOWNESS) * (later + SLOWNESS + 1.0))
    if octave <= FINE:
        return of_octave / _EARLY
    finer = octave - level - FINE
    if finer <= 0:
        return of_octave * (1.0 - FOR_FINER) / (2.0 ** (FINE + 1) - 1.0)
    return of_octave * FOR_FINER * 2.0**-finer / 2.0 ** (octave - level)


_EARLY = sum(2.0 ** (octave + 1) - 1.0 for octave in range(FINE + 1))
"""How many (start, level) the first octaves have together."""
