"""How long it takes until the plan is answered, stage by stage."""

import math
from dataclasses import replace

from experiments.forecast.attempt import attempt
from experiments.forecast.prospect import Prospect
from experiments.forecast.types import Duration, ExpectedStage, Obstacle
from experiments.stats.planning import Arrivals, PlannedUnits, Schedule, StageTarget, schedule

HOURS_A_DAY = 24.0
PER_CENT = 100.0


def duration(prospect: Prospect, needs: PlannedUnits | Obstacle) -> Duration:
    """Days and stages; where it takes longer than the plan allows, that is said beside them."""
    arrivals = prospect.known.arrivals
    if isinstance(needs, Obstacle) or isinstance(arrivals, Obstacle):
        return _unknown(prospect, needs if isinstance(needs, Obstacle) else arrivals)
    found = attempt(lambda: _schedule(prospect, needs, arrivals, math.inf))
    if isinstance(found, Obstacle):
        return _unknown(prospect, found)
    in_time = attempt(lambda: _schedule(prospect, needs, arrivals, prospect.maximum_hours))
    return Duration(
        days=found.hours / HOURS_A_DAY,
        whole_weeks_days=found.whole_weeks_hours / HOURS_A_DAY,
        maximum_days=prospect.maximum_hours / HOURS_A_DAY,
        stages=tuple(
            ExpectedStage(
                coverage=stage.coverage * PER_CENT, begins_hours=stage.begins, ends_hours=stage.ends, units=stage.units
            )
            for stage in found.stages
        ),
        obstacle=in_time if isinstance(in_time, Obstacle) else None,
    )


def _schedule(prospect: Prospect, needs: PlannedUnits, arrivals: Arrivals, maximum_hours: float) -> Schedule:
    """A stage lasts until the smallest variant has the plan's minimum of users."""
    share = prospect.plan.shares[needs.binding.variant]
    fewest = prospect.plan.minimum_units * share / prospect.smallest_share
    stages: list[StageTarget] = [replace(stage, units=fewest) for stage in prospect.stages]
    return schedule(stages, arrivals, share=share, units=needs.binding.units, maximum_hours=maximum_hours)


def _unknown(prospect: Prospect, why: Obstacle | Arrivals) -> Duration:
    assert isinstance(why, Obstacle)  # noqa: S101 - one of both is
    days = prospect.maximum_hours / HOURS_A_DAY
    return Duration(days=None, whole_weeks_days=None, maximum_days=days, stages=(), obstacle=why)
