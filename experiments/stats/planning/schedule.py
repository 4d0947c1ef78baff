"""When the units will be there: a stage-by-stage schedule from traffic, and what can be seen after each day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, require
from experiments.stats.planning.baseline import Baseline
from experiments.stats.planning.sample_size import USUAL, Question, minimum_effect

HOURS_A_WEEK = 168.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Distinct units of an endpoint after t hours: first_hour · t^exponent, and `most` at the most.

    With an exponent of 1 every hour brings as many new units; below it more and more of them have been seen before,
    as with users who come back (0.5 to 0.8 is usual). A crowd that is always the same has a `most`.
    """

    first_hour: float
    exponent: float = 1.0
    most: float = math.inf

    def units(self, hours: ArrayLike) -> Floats:
        """Distinct units after so many hours.

        >>> Arrivals(100.0, 0.5).units([1.0, 4.0]).tolist()
        [100.0, 200.0]
        """
        come = self.first_hour * np.asarray(hours, dtype=np.float64) ** self.exponent
        return np.asarray(np.minimum(come, self.most))

    def hours_until(self, units: float) -> float:
        """Hours until so many distinct units were seen; infinite if there are not as many.

        >>> Arrivals(100.0, 0.5).hours_until(200.0)
        4.0
        """
        if units > self.most:
            return math.inf
        return float((units / self.first_hour) ** (1.0 / self.exponent))


@dataclass(frozen=True, slots=True)
class StageTarget:
    """A stage of the ramp: its coverage (0 to 1), its shortest stay in hours, and the units a candidate must have had.

    `units` follow from the harm that the stage is there to catch; 0 if the stay alone decides.
    """

    coverage: float
    soak_hours: float
    units: float = 0.0


@dataclass(frozen=True, slots=True)
class StageSchedule:
    """A stage as it will go: hours from the start when it begins and ends, and the candidate's units at its end."""

    coverage: float
    begins: float
    ends: float
    units: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """All stages, the hours until the plan is answered, and those rounded up to whole weeks."""

    stages: tuple[StageSchedule, ...]
    hours: float
    whole_weeks_hours: float


def schedule(
    stages: Sequence[StageTarget], arrivals: Arrivals, *, share: float, units: float, maximum_hours: float = math.inf
) -> Schedule:
    """When each stage ends, given that a candidate has this share of covered units and needs so many of them in all.

    At coverage c the candidate has share · c of all units seen since the start, since one that was not covered comes
    in when it returns. Whole weeks hold each weekday equally often.

    Raises:
        InvalidArgument: `stages-range`, `arrivals-range`, `crowd-too-small` when there are not as many units, or
            `too-slow` when it takes longer than the maximum.

    >>> plan = schedule([StageTarget(0.1, 2.0), StageTarget(1.0, 0.0)], Arrivals(1000.0), share=0.5, units=5000.0)
    >>> [(stage.ends, stage.units) for stage in plan.stages]
    [(2.0, 100.0), (10.0, 5000.0)]
    """
    _check(stages, arrivals, share, units)
    planned, now = [], 0.0
    for number, stage in enumerate(stages):
        wanted = max(stage.units, units) if number == len(stages) - 1 else stage.units
        reached = _hours_until(arrivals, wanted / (share * stage.coverage))
        ends = max(now + stage.soak_hours, reached)
        at_end = float(arrivals.units(ends)) * share * stage.coverage
        planned.append(StageSchedule(stage.coverage, now, ends, at_end))
        now = ends
    require(now <= maximum_hours, lambda: _too_slow(now, maximum_hours))
    return Schedule(tuple(planned), now, math.ceil(round(now / HOURS_A_WEEK, 9)) * HOURS_A_WEEK)


def sensitivity(
    baseline: Baseline, arrivals: Arrivals, days: Sequence[float], *, share: float, question: Question = USUAL
) -> Floats:
    """The smallest effect that is seen after each of the days, in the metric's unit: a curve that falls with time.

    `share` is the candidate's of all units. NaN where there are too few for any effect.

    >>> from experiments.stats.planning.baseline import share as share_of_units
    >>> sensitivity(share_of_units(0.1), Arrivals(500.0), [1.0, 7.0], share=0.5).round(4).tolist()
    [0.0159, 0.0059]
    """
    units = arrivals.units(np.asarray(days, dtype=np.float64) * 24.0) * share
    return np.array([_smallest(baseline, float(each), question) for each in units])


def _hours_until(arrivals: Arrivals, units: float) -> float:
    require(units <= arrivals.most, lambda: _crowd_too_small(arrivals.most, units))
    return arrivals.hours_until(units)


def _smallest(baseline: Baseline, units: float, question: Question) -> float:
    try:
        return minimum_effect(baseline, units, question)
    except InvalidArgument as error:
        if error.code in ("effect-none", "units-range"):
            return math.nan
        raise


def _check(stages: Sequence[StageTarget], arrivals: Arrivals, share: float, units: float) -> None:
    coverages = [stage.coverage for stage in stages]
    grows = bool(stages) and all(0.0 < c <= 1.0 for c in coverages) and coverages == sorted(coverages)
    sound = grows and all(stage.soak_hours >= 0.0 and stage.units >= 0.0 for stage in stages) and units >= 0.0
    require(sound, lambda: _error("stages-range", "The stages are none, shrink, or have a negative stay or number."))
    flows = arrivals.first_hour > 0.0 and 0.0 < arrivals.exponent <= 1.0 and 0.0 < share <= 1.0
    require(flows, lambda: _error("arrivals-range", f"{arrivals} with a share of {share} bring no units."))


def _too_slow(hours: float, maximum: float) -> InvalidArgument:
    return InvalidArgument(
        "too-slow",
        f"The plan takes {hours / 24.0:.3g} days, and may take {maximum / 24.0:.3g}.",
        next_step="Ask for a larger effect or margin, give it more traffic, fewer candidates, or more time.",
    )


def _crowd_too_small(crowd: float, units: float) -> InvalidArgument:
    return InvalidArgument(
        "crowd-too-small",
        f"It takes about {units:,.0f} users, and about {crowd:,.0f} take part, who are always the same: no number of "
        "days will do.",
        next_step="Ask for a larger effect or margin, give it more traffic or fewer candidates; and where a share of "
        "requests takes longest, guard the share of users who fail instead.",
    )


def _error(code: str, detail: str) -> InvalidArgument:
    return InvalidArgument(
        code, detail, next_step="Give stages of growing coverage up to 1, stays from 0, and units that arrive."
    )
