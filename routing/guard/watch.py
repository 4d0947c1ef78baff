"""When a candidate fails in a burst, and its control does not."""

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

from routing.guard.cuts import Cut
from routing.table import Arm, Guard, RunningExperiment, Table

# The chance that equal arms differ as much: small, as an edge looks after every request.
CHANCE = 1e-6

MOST_REMEMBERED = 1_000

Counts = tuple[int, int]
"""Requests, and how many of them failed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How one measured request ended: when in seconds since the epoch, the arm, failed or not, its first byte.

    `first_byte_ms` is None where none came; `moment` is the request's time as it was logged.
    """

    time: float
    experiment: str
    variant: str
    failed: bool
    first_byte_ms: float | None
    moment: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How one request ended, and when."""

    time: float
    failed: bool
    failed_or_late: bool

    def has_failed(self) -> bool:
        """Whether it failed, whenever its answer began."""
        return self.failed

    def has_failed_or_was_late(self) -> bool:
        """Whether it failed or its answer began too late."""
        return self.failed_or_late


Way = Callable[[Ending], bool]


class Watch:
    """Looks at outcomes as they come, over the latest requests of each arm.

    A candidate is to be cut when, among its latest `Guard.requests` requests and within the guard's window, at least
    `Guard.failing_share` of so many failed, and Fisher's exact test says that its control does not fail as well:
    with k of n failures beside c of m, the hypergeometric chance of k or more among the n, all k + c being spread
    at random, is at most one in a million, or where it fails twice as often at least, over all within the window: ten
    that fail beside ten that do not tell too little, and a control with fewer users ends fewer meanwhile. A control
    that ended nothing within the window cannot speak for a shared cause, and then the counts alone decide.

    Assumes that requests end independently. Reference: Fisher, The Design of Experiments (1935).
    """

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], deque[Ending]] = defaultdict(lambda: deque(maxlen=MOST_REMEMBERED))

    def see(self, outcome: Answered, table: Table) -> Cut | None:
        """Take an outcome in; returns the cut that it calls for."""
        experiment, arm = _place_of(outcome, table)
        if experiment is None or arm is None or experiment.guard is None:
            return None
        guard = experiment.guard
        late = 0 < guard.first_byte_ms < (outcome.first_byte_ms or 0)
        ending = Ending(outcome.time, outcome.failed, outcome.failed or late)
        self._ended[outcome.experiment, outcome.variant].append(ending)
        control = experiment.arms[0].variant
        if outcome.variant == control or not ending.failed_or_late:
            return None
        # Where everybody's answers begin late, those that fail are to be seen all the same.
        ways = (Ending.has_failed, Ending.has_failed_or_was_late) if guard.first_byte_ms else (Ending.has_failed,)
        return next((cut for way in ways if (cut := self._cut(outcome, experiment, arm, way))), None)

    def _cut(self, outcome: Answered, experiment: RunningExperiment, arm: Arm, failed: Way) -> Cut | None:
        """The cut that is called for by what failed in this way."""
        guard, control = experiment.guard or Guard(), experiment.arms[0].variant
        latest = self._both(outcome, control, guard, failed)
        if latest[0][1] < guard.failing_share * guard.requests:
            return None
        all_of_them = replace(guard, requests=MOST_REMEMBERED)
        found = latest if _differ(*latest) else self._both(outcome, control, all_of_them, failed)
        if found is not latest and not (_fails_twice_as_often(*found) and _differ(*found)):
            return None
        return Cut(experiment.key, arm.variant, arm.guard_round, outcome.moment, *found[0], *found[1])

    def forget(self, cut: Cut) -> None:
        """Drop what was seen of an arm that was ejected, so that it starts anew when reinstated."""
        self._ended.pop((cut.experiment, cut.variant), None)

    def _both(self, outcome: Answered, control: str, guard: Guard, failed: Way) -> tuple[Counts, Counts]:
        return self._latest(outcome, outcome.variant, guard, failed), self._latest(outcome, control, guard, failed)

    def _latest(self, outcome: Answered, variant: str, guard: Guard, failed: Way) -> Counts:
        """The latest requests of an arm within the window, and how many of them failed."""
        latest = islice(reversed(self._ended[outcome.experiment, variant]), guard.requests)
        ended = [failed(ending) for ending in latest if ending.time >= outcome.time - guard.window_seconds]
        return len(ended), sum(ended)


def exact_chance(failures: int, requests: int, other_failures: int, other_requests: int) -> float:
    """Fisher's exact one-sided p-value: the chance of so many failures or more among the first requests.

    >>> exact_chance(3, 3, 0, 3)
    0.05
    """
    failed, total = failures + other_failures, requests + other_requests
    most = min(requests, failed)
    ways = sum(math.comb(requests, k) * math.comb(other_requests, failed - k) for k in range(failures, most + 1))
    return ways / math.comb(total, failed)


def _fails_twice_as_often(candidate: Counts, control: Counts) -> bool:
    (requests, failures), (other_requests, other_failures) = candidate, control
    return failures * other_requests >= 2 * other_failures * requests


def _differ(candidate: Counts, control: Counts) -> bool:
    (requests, failures), (other_requests, other_failures) = candidate, control
    return not other_requests or exact_chance(failures, requests, other_failures, other_requests) <= CHANCE


def _place_of(outcome: Answered, table: Table) -> tuple[RunningExperiment, Arm] | tuple[None, None]:
    """The experiment and the arm of an outcome, while the table has them."""
    for endpoint in table.endpoints:
        for experiment in endpoint.experiments:
            for arm in experiment.arms:
                if (experiment.key, arm.variant) == (outcome.experiment, outcome.variant):
                    return experiment, arm
    return None, None
